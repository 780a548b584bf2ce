//! Signals to the runner reach all that runs for it: Ctrl-C, once and twice, and Ctrl-Z.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::started::{Started, nobody_sleeps_for};
use crate::suite::Suite;

#[test]
fn what_ctrl_c_stopped_is_what_is_run_again() {
    let suite = Suite::new();
    let both = ["-p", "behaviour", "--test", "waits", "--exact", "until_told", "plain_until_told", "-j2"];
    let runner = Started::of(&mut suite.command(&[&["run"], &both[..]].concat()));
    runner.when(|| started(&suite) == 2).gets(Signal::SIGINT);
    let ended = runner.end().with(100);
    ended.says(&["Stopping at once: SIGINT"]);
    ended.says(&["0/2 tests run: 0 passed, 0 failed"]);
    fs::write(suite.place().join("told"), "").expect("the place is writable");
    let again = suite.run(&["-p", "behaviour", "--test", "waits", "--rerun-failed"]).with(0);
    again.says(&["2 tests run: 2 passed"]);
}

/// Nobody reads what the runner has to say, so it can't come to its end by itself.
#[test]
fn a_second_ctrl_c_ends_the_runner_whatever_it_does() {
    let suite = Suite::new();
    let talks = ["run", "-p", "behaviour", "--test", "waits", "--exact", "talks", "--success-output", "immediate"];
    let runner = Started::of(&mut suite.command(&talks));
    runner.when(|| started(&suite) == 1).gets(Signal::SIGINT);
    runner.gets(Signal::SIGTERM);
    runner.end_unheard().with(130);
}

/// Everything stands still, and with it the clock of a test whose time would be up meanwhile.
#[test]
fn ctrl_z_stops_everything_and_its_clocks() {
    let suite = Suite::new();
    let arguments =
        ["run", "-p", "behaviour", "--test", "waits", "--exact", "within_three_seconds", "plain_until_told", "-j2"];
    let runner = Started::of(&mut suite.command(&arguments));
    runner.when(|| started(&suite) == 2).gets(Signal::SIGTSTP);
    // The servers and inits that look after the tests wait for orders; the runner and the tests stand still.
    let others = |name: &str| ["isotest-server", "isotest-init"].contains(&name);
    runner.when(|| {
        let family = runner.family();
        let states: String = family.iter().filter(|(name, _)| !others(name)).map(|(_, state)| *state).collect();
        states == "TTT"
    });
    // No event tells that this time has passed: it is what must not count.
    std::thread::sleep(Duration::from_secs(4));
    fs::write(suite.place().join("told"), "").expect("the place is writable");
    runner.gets(Signal::SIGCONT);
    runner.end().with(0).says(&["2 tests run: 2 passed"]);
}

fn started(suite: &Suite) -> usize {
    fs::read_to_string(suite.place().join("started")).unwrap_or_default().lines().count()
}

#[test]
fn ctrl_c_ends_the_question_which_tests_there_are() {
    let suite = Suite::new();
    let runner = Started::of(&mut suite.command(&["run", "-p", "harnesses", "--features", "silent"]));
    let asked = |(name, _): &(String, char)| name.starts_with("silent");
    runner.when(|| runner.family().iter().any(asked)).gets(Signal::SIGINT);
    let ended = runner.end().with(130);
    ended.says(&["error: listing the tests of harnesses::", "stopped by SIGINT"]);
}

#[test]
fn a_killed_runner_takes_with_it_what_ran_without_a_sandbox() {
    let suite = Suite::configured("[profile.default.spec]\nisolation = false\n");
    let runner =
        Started::of(&mut suite.command(&["run", "-p", "behaviour", "--test", "waits", "--exact", "leaves_one"]));
    runner.when(|| started(&suite) == 1).gets(Signal::SIGKILL);
    runner.end_unheard();
    nobody_sleeps_for("86397.16");
}
