//! Wherever the workspace lies, whatever its name, and whatever the caller's environment lacks, the same tests run.

use std::fs;
use std::path::Path;
use std::process::Command;

use isotest_tests::{Ended, root};
use tempfile::TempDir;

use crate::runs::{SEVERAL, cargo_isotest, cargo_test};

const SUITE: [&str; 4] = ["-p", "isolated", "--lib", "--no-fail-fast"];

/// The fixture `isolated` comes to what it comes to everywhere, in both.
#[track_caller]
fn all_as_ever(prepare: impl Fn(&mut Command)) {
    let mut by_test = cargo_test(SEVERAL, &SUITE);
    prepare(&mut by_test);
    let ended = Ended::of(&mut by_test).with(101);
    assert!(ended.out.contains("5 passed; 3 failed; 2 ignored"), "{by_test:?}: {ended:?}");
    let mut by_isotest = cargo_isotest(SEVERAL, &[&["run"], &SUITE[..]].concat());
    prepare(&mut by_isotest);
    let ended = Ended::of(&mut by_isotest).with(100);
    assert!(ended.err.contains("8 tests run: 5 passed, 3 failed, 2 skipped"), "{by_isotest:?}: {ended:?}");
}

#[test]
fn a_directory_for_temporary_files_may_be_anything() {
    let here = SEVERAL.directory().display().to_string();
    all_as_ever(|command| {
        command.env_remove("TMPDIR");
    });
    for directory in ["", ".", "relative", "/", "/proc", "/etc/passwd", "/nowhere/at/all", &here] {
        all_as_ever(|command| {
            command.env("TMPDIR", directory);
        });
    }
}

#[test]
fn nobody_s_home_is_needed() {
    // Who the compilers and registries are is another question than ours.
    let homes = ["CARGO_HOME", "RUSTUP_HOME"].map(|name| (name, std::env::var_os(name)));
    let home = std::env::home_dir().expect("a home");
    for variable in ["HOME", "USER", "TERM", "SHELL"] {
        all_as_ever(|command| {
            for ((name, value), default) in homes.iter().zip([".cargo", ".rustup"]) {
                command.env(name, value.clone().unwrap_or_else(|| home.join(default).into()));
            }
            command.env_remove(variable);
        });
    }
}

/// What a shell, a format or a pattern could stumble over; linkers stumble over `%`, the loader's path over `:`.
const ODD: &str = "a b ünï 日本 it's (x) [y] #&;*?{}\"\\$HOME";

/// A copy of the fixture.
fn copied(directory: &TempDir) -> std::path::PathBuf {
    let copy = directory.path().join(ODD);
    fs::create_dir(&copy).expect("it is writable");
    let status = Command::new("cp").arg("-r").arg(SEVERAL.directory()).arg(&copy).status();
    assert!(status.expect("cp starts").success());
    let copy = copy.join("several");
    let core = format!("{:?}", root().join("isotest-core"));
    for package in ["isolated", "whole"] {
        let manifest = copy.join(package).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("it can be read");
        fs::write(&manifest, text.replace("\"../../../../isotest-core\"", &core)).expect("it is writable");
    }
    copy
}

/// Little is to be copied: without what debuggers need.
fn built_small(command: &mut Command, workspace: &Path, target: &Path) {
    command.current_dir(workspace).env("CARGO_TARGET_DIR", target);
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
}

#[test]
fn a_workspace_may_have_any_name_and_lie_where_tests_have_private_directories() {
    // Its target directory in itself, and then in directories that are private inside.
    let directory = tempfile::tempdir_in("/tmp").expect("a directory can be made");
    drop(SEVERAL.cargo(&[])); // Has a lock file to copy.
    let workspace = copied(&directory);
    let target = workspace.join("target");
    all_as_ever(|command| built_small(command, &workspace, &target));
    for place in ["/dev/shm", "/var/tmp"] {
        let elsewhere = tempfile::tempdir_in(place).expect("a directory can be made");
        let status = Command::new("cp").arg("-a").args([&*target, elsewhere.path()]).status();
        assert!(status.expect("cp starts").success());
        all_as_ever(|command| built_small(command, &workspace, &elsewhere.path().join("target")));
    }
}
