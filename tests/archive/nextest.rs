//! nextest shares out and packs what has isotests in it as it does anything else.

use std::process::Command;

use isotest_tests::text;

use crate::elsewhere::PACKED;

/// `cargo nextest ARGUMENTS` in the fixture, which ends well. Gives what it says.
#[track_caller]
fn nextest(arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> String {
    let mut command = PACKED.cargo(&["nextest"]);
    command.args(arguments);
    prepare(&mut command);
    let output = command.output().expect("cargo starts");
    assert!(output.status.success(), "cargo-nextest must be installed: {}", text(&output));
    text(&output)
}

#[test]
#[ignore = "needs cargo-nextest; .ci/run runs it"]
fn its_partitions_have_each_test_once() {
    let ran = ["count:1/2", "count:2/2"].map(|share| {
        let said = nextest(&["run", "--workspace", "--no-tests", "pass", "--partition", share], |_| {});
        said.lines().filter(|line| line.trim_start().starts_with("PASS [")).count()
    });
    assert_eq!(ran.iter().sum::<usize>(), 7, "{ran:?}");
    assert!(ran.iter().all(|ran| *ran > 0), "{ran:?}");
}

#[test]
#[ignore = "needs cargo-nextest; .ci/run runs it"]
fn its_archives_run() {
    let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made");
    let file = place.path().join("x.tar.zst");
    nextest(&["archive", "--workspace", "--archive-file"], |command| _ = command.arg(&file));
    // Of what a build script wrote it packs what lies at the top.
    let others = "not test(what_the_build_script_wrote_is_there)";
    let said = nextest(&["run", "-E", others, "--archive-file"], |command| _ = command.arg(&file));
    assert!(said.contains("6 tests run: 6 passed"), "{said}");
    assert!(said.contains("program::needs the_packages_program_runs"), "{said}");
}
