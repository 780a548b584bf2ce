//! An archive runs where there is neither cargo, nor the target directory, nor, if need be, the sources.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use isotest::isotest;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::elsewhere::{Ended, archive, checkout, leave, pack, place, runner};

/// The tests of the fixture that need no sources.
const WITHOUT_SOURCES: [&str; 6] = [
    "macros of_the_macros",
    "program::bin/program of_the_program",
    "program::needs it_runs_in_its_package",
    "program::needs the_packages_program_runs",
    "program::needs what_the_build_script_wrote_is_there",
    "shared of_the_shared_library",
];

/// `cargo isotest run --archive-file FILE ARGUMENTS`.
fn run(file: &Path, arguments: &[&str]) -> Command {
    let mut command = runner(&["run", "--archive-file"]);
    command.arg(file).args(arguments);
    command
}

/// What lies in /tmp, which is private.
fn left_over() -> Vec<String> {
    let entries = fs::read_dir("/tmp").expect("/tmp can be read").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name != "elsewhere").collect()
}

#[isotest]
fn a_checkout_elsewhere_is_enough() {
    let sources = checkout();
    let file = archive(&["--workspace"]);
    let sources = sources.to_str().expect("a path of text");
    let ended = Ended::of(&mut run(&file, &["--workspace-remap", sources, "--status-level", "all"])).with(0);
    ended.says("7 tests run: 7 passed, 0 failed, 1 skipped").says("program::needs its_sources_are_there");
    for test in WITHOUT_SOURCES {
        ended.says(test);
    }
    assert_eq!(left_over(), [""; 0], "what was extracted has vanished");
    // What is remembered has not.
    assert!(Path::new(sources).join("target/isotest/record.json").exists());
}

#[isotest]
fn without_sources_tests_run_in_empty_directories() {
    let file = archive(&["--workspace"]);
    let ended = Ended::of(&mut run(&file, &["--no-fail-fast"])).with(100);
    ended.says("the sources are not at ").says("--workspace-remap DIR says where a checkout lies");
    ended.says("7 tests run: 6 passed, 1 failed").says("FAIL [").says("needs its_sources_are_there");
    ended.says(&format!(
        "re-run: cargo isotest run --archive-file {} -E 'binary_id(=program::needs)' --exact its_sources_are_there",
        file.display()
    ));
    assert_eq!(left_over(), [""; 0]);
}

#[isotest]
fn a_failing_run_leaves_nothing_either() {
    let file = archive(&["--workspace"]);
    Ended::of(&mut run(&file, &["--run-ignored", "only"])).with(100).says("as promised");
    assert_eq!(left_over(), [""; 0]);
}

#[isotest]
fn an_interrupted_run_leaves_nothing_either() {
    let file = archive(&["-p", "shared"]);
    let mut command = run(&file, &["--stress-duration", "1h"]);
    let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("cargo isotest starts");
    let mut lines = BufReader::new(running.stderr.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.expect("text").contains("PASS [")));
    assert_eq!(left_over().len(), 1, "while it runs it is there: {:?}", left_over());
    kill(Pid::from_raw(running.id().cast_signed()), Signal::SIGINT).expect("it runs");
    assert!(lines.any(|line| line.expect("text").contains("Summary")));
    assert_eq!(running.wait().expect("it ends").code(), Some(100));
    assert_eq!(left_over(), [""; 0]);
}

#[isotest]
fn where_the_sources_are_nothing_needs_to_be_said() {
    let file = pack(&["--workspace"]);
    Ended::of(&mut run(&file, &[])).with(0).says("7 tests run: 7 passed");
}

#[isotest]
fn only_what_was_selected_is_packed() {
    let file = archive(&["-p", "program", "--test", "needs"]);
    let listed = Ended::of(runner(&["list", "--archive-file"]).arg(&file)).with(0).lines();
    assert!(!listed.is_empty() && listed.iter().all(|test| test.starts_with("program::needs ")), "{listed:?}");
    // Its program and the library that this loads are there nevertheless.
    Ended::of(&mut run(&file, &["the_packages_program_runs"])).with(0).says("1 test run: 1 passed");
}

#[isotest]
fn a_list_is_that_of_the_build_and_expressions_know_the_workspace() {
    let file = archive(&["--workspace"]);
    let list = |arguments: &[&str]| {
        let mut listed = Ended::of(runner(&["list", "--archive-file"]).arg(&file).args(arguments)).with(0).lines();
        listed.sort();
        listed
    };
    let mut all: Vec<_> = WITHOUT_SOURCES.iter().map(|&name| name.to_owned()).collect();
    all.push("program::needs its_sources_are_there".to_owned());
    all.sort();
    assert_eq!(list(&[]), all);
    assert_eq!(list(&["-E", "platform(host)"]), ["macros of_the_macros"]);
    assert_eq!(list(&["-E", "package(shared)"]), ["shared of_the_shared_library"]);
    assert_eq!(list(&["-E", "deps(program) - package(program)"]), ["shared of_the_shared_library"]);
}

#[isotest]
fn what_was_extracted_stays_where_that_is_asked_for() {
    let file = archive(&["--workspace"]);
    let (to, one) = (place("extracted"), "the_packages_program_runs");
    let to = to.to_str().expect("a path of text");
    Ended::of(&mut run(&file, &["--extract-to", to, one])).with(0);
    assert!(Path::new(to).join("target/debug/program").exists());
    let refused = Ended::of(&mut run(&file, &["--extract-to", to, one])).with(96);
    refused.says(&format!("{to}/target: it is there already: --extract-overwrite replaces files in it"));
    Ended::of(&mut run(&file, &["--extract-to", to, "--extract-overwrite", one])).with(0);
    Ended::of(&mut run(&file, &["--target-dir-remap", &format!("{to}/target"), one])).with(0);
    assert_eq!(left_over(), [""; 0]);

    Ended::of(&mut run(&file, &["--persist-extract-tempdir", one])).with(0).says("the archive was extracted to /tmp/");
    let [persisted] = &left_over()[..] else { panic!("not one directory: {:?}", left_over()) };
    assert!(Path::new("/tmp").join(persisted).join("target/debug/program").exists());
}

#[isotest]
fn the_configuration_is_the_checkout_s() {
    let sources = checkout();
    fs::create_dir(sources.join(".config")).expect("/tmp is private");
    let configuration =
        "[profile.default]\ndefault-filter = 'package(shared)'\n[profile.default.junit]\npath = 'of.xml'\n";
    fs::write(sources.join(".config/isotest.toml"), configuration).expect("/tmp is private");
    let file = archive(&["--workspace"]);
    let remapped = ["--workspace-remap", sources.to_str().expect("a path of text")];
    Ended::of(&mut run(&file, &remapped)).with(0).says("1 test run: 1 passed");
    assert!(sources.join("target/isotest/default/of.xml").exists(), "reports outlive what was extracted");
}

#[isotest]
fn what_is_configured_to_be_included_comes_along() {
    let configuration = place("isotest.toml");
    let text = "[[profile.more.archive.include]]\npath = 'debug/.fingerprint'\nrelative-to = 'target'\ndepth = 1\n";
    fs::write(&configuration, text).expect("/tmp is private");
    let with = ["-p", "shared", "-P", "more", "--config-file", configuration.to_str().expect("a path of text")];
    let to = place("extracted");
    for (arguments, included) in [(&with[..2], false), (&with, true)] {
        let file = pack(arguments);
        let to = to.to_str().expect("a path of text");
        Ended::of(&mut run(&file, &["--extract-to", to, "--extract-overwrite"])).with(0);
        let included_there = Path::new(to).join("target/debug/.fingerprint");
        assert_eq!(included_there.is_dir(), included);
        if included {
            let mut below = fs::read_dir(included_there).expect("a directory").flatten().map(|entry| entry.path());
            assert!(below.all(|path| fs::read_dir(path).expect("a directory").count() == 0), "it is one deep");
        }
    }
}

#[isotest]
fn an_archive_of_the_same_build_is_the_same() {
    let (first, again) = (pack(&["--workspace"]), place("first.tar.zst"));
    fs::rename(&first, &again).expect("/tmp is private");
    assert!(fs::read(pack(&["--workspace"])).expect("a file") == fs::read(again).expect("a file"));
    leave();
}
