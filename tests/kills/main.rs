//! SIGKILL, at random moments, of whoever keeps the tests: afterwards nothing of them is left on the host, and where
//! somebody is left to tell it, no test is lost.

mod host;

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use host::{Host, Moment, TEMPORARY, kill, one_of};
use isotest_tests::{Fixture, text};

const CROWD: Fixture = Fixture("crowd");
const TESTS: usize = 201;

/// Together at least 200.
const TRIALS: u32 = 55;

#[test]
fn nothing_outlives_a_killed_runner() {
    trials(|moment| {
        let mut runner = start(&mut CROWD.cargo_isotest(&["run", "--test", "crowd", "--test-threads", "4"]));
        moment.wait(&mut runner);
        runner.kill().expect("the runner can be killed");
        runner.wait().expect("the runner ends");
    });
}

#[test]
fn nothing_outlives_a_killed_test_binary_of_cargo_test() {
    trials(|moment| {
        let mut cargo = start(&mut CROWD.cargo(&["test", "--test", "crowd"]));
        moment.wait(&mut cargo);
        // Its fork server and its inits bear names of their own; tests are in PID namespaces.
        if let Some(binary) = one_of(|process| process.is_ours() && process.parent == cargo.id()) {
            kill(binary);
        }
        assert!(
            !cargo.wait().expect("cargo ends").success() || moment.too_late(),
            "a killed binary was called a success"
        );
    });
}

#[test]
fn a_killed_server_is_replaced_and_no_test_is_lost() {
    let mut killed = 0;
    trials(|moment| {
        let output = kill_while_running(moment, "isotest-server");
        killed += u32::from(text(&output).contains("KILLED"));
        all_are_accounted_for(&output);
    });
    assert!(killed > TRIALS / 2, "hardly a server was killed in time: {killed} of {TRIALS}");
}

#[test]
fn a_killed_init_takes_its_own_test_with_it_only() {
    let mut killed = 0;
    trials(|moment| {
        let output = kill_while_running(moment, "isotest-init");
        let text = text(&output);
        let words = text.lines().filter(|line| line.trim_start().starts_with("KILLED [")).count();
        assert!(words <= 2, "one init was killed, and more than one test with it (each is told twice):\n{text}");
        killed += u32::from(words > 0);
        all_are_accounted_for(&output);
    });
    assert!(killed > TRIALS / 2, "hardly an init was killed in time: {killed} of {TRIALS}");
}

/// Each with another moment; after each the host must be as before.
fn trials(mut trial: impl FnMut(&Moment)) {
    let _alone = host::alone();
    let build = CROWD.cargo(&["test", "--no-run"]).output().expect("cargo starts");
    assert!(build.status.success(), "{}", text(&build));
    std::fs::create_dir_all(TEMPORARY).expect("the target directory can be written");
    let before = Host::read();
    for number in 0..TRIALS {
        let moment = Moment::random(number, Duration::from_millis(400));
        trial(&moment);
        before.must_be_back(&moment);
    }
}

fn start(command: &mut Command) -> Child {
    command.env("TMPDIR", TEMPORARY);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

/// Kills one process of this name in the midst of a run that goes on to its end.
fn kill_while_running(moment: &Moment, name: &str) -> Output {
    let mut command = CROWD.cargo_isotest(&["run", "--no-fail-fast", "--test", "crowd", "--test-threads", "4"]);
    command.env("TMPDIR", TEMPORARY).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut runner = command.spawn().expect("the runner starts");
    moment.wait(&mut runner);
    if let Some(victim) = one_of(|process| process.is_ours() && process.name == name) {
        kill(victim);
    }
    runner.wait_with_output().expect("the runner ends")
}

fn all_are_accounted_for(output: &Output) {
    let text = text(output);
    let summary = text.lines().find(|line| line.contains("Summary [")).unwrap_or_else(|| panic!("no summary:\n{text}"));
    assert!(summary.contains(&format!("] {TESTS} tests run: ")), "{text}");
    let failed = !summary.contains(" 0 failed");
    assert_eq!(output.status.code(), Some(if failed { 100 } else { 0 }), "{text}");
}
