//! Setup scripts run before the tests that need them, and hand them what they need.

use nix::sys::signal::Signal;

use crate::started::{Started, nobody_sleeps_for};
use crate::suite::Suite;

const SPEC: [&str; 4] = ["-p", "behaviour", "--test", "spec"];

/// With a script `prepare` that is this one line for the shell, for the tests that the filter means.
fn with(script: &str, filter: &str) -> Suite {
    let script = format!("['sh', '-c', '''{script}''']");
    Suite::configured(&format!(
        "[scripts.setup.prepare]\ncommand = {script}\n[[profile.default.scripts]]\nfilter = '{filter}'\nsetup = 'prepare'\n"
    ))
}

#[test]
fn a_script_hands_variables_to_the_tests_that_need_it() {
    for variable in ["ISOTEST_ENV", "NEXTEST_ENV"] {
        let suite =
            with(&format!("echo once >> $PLACE/ran; echo FROM_SCRIPT=a=b c >> ${variable}"), "test(/^isolated/)");
        let ended = suite.run(&SPEC).with(0);
        ended.says(&["SETUP", "prepare"]);
        ended.says(&["SETUP PASS", "prepare"]);
        assert_eq!(suite.noted("ran"), ["once"]);
        let found = |name: &str| suite.noted(&format!("FROM_SCRIPT of {name}")).concat();
        assert_eq!(["isolated", "isolated_as_written", "plain"].map(found), ["a=b c", "a=b c", "none"]);
    }
}

#[test]
fn a_script_that_no_chosen_test_needs_does_not_run() {
    let suite = with("echo once >> $PLACE/ran", "test(=isolated)");
    suite.run(&[&SPEC[..], &["plain"]].concat()).with(0).does_not_say(&["SETUP"]);
    suite.list(&SPEC).with(0);
    suite.run(&[&SPEC[..], &["--no-run"]].concat()).with(0);
    assert!(suite.noted("ran").is_empty());
}

#[test]
fn a_script_that_fails_ends_the_run_with_what_it_said() {
    let ended = with("echo to stdout; echo to stderr >&2; exit 3", "all()").run(&SPEC).with(105);
    ended.says(&["to stdout"]);
    ended.says(&["to stderr"]);
    ended.says(&["error: setup script prepare: it ended with exit code 3"]);
    ended.does_not_say(&["PASS ["]);
    // Kept rather than shown, it is shown all the same.
    let text = "[scripts.setup.prepare]\ncommand = ['sh', '-c', 'echo to stdout; exit 3']\ncapture-stdout = true\n\
                [[profile.default.scripts]]\nfilter = 'all()'\nsetup = 'prepare'\n";
    Suite::configured(text).run(&SPEC).with(105).says(&["to stdout"]);
}

#[test]
fn a_script_that_can_t_be_run_is_named() {
    let text = "[scripts.setup.prepare]\ncommand = 'no-such-program --at-all'\n\
                [[profile.default.scripts]]\nfilter = 'all()'\nsetup = 'prepare'\n";
    Suite::configured(text).run(&SPEC).with(105).says(&["error: setup script prepare: cannot run no-such-program:"]);
    with("echo hello >> $ISOTEST_ENV", "all()").run(&SPEC).with(105).says(&["\"hello\"", "no NAME=value"]);
}

#[test]
fn a_slow_script_is_named_asked_to_end_and_killed() {
    let text = "[scripts.setup.prepare]\ncommand = ['sh', '-c', 'trap \"\" TERM; sleep 1000']\n\
                slow-timeout = { period = '200ms', terminate-after = 2, grace-period = '200ms' }\n\
                [[profile.default.scripts]]\nfilter = 'all()'\nsetup = 'prepare'\n";
    let ended = Suite::configured(text).run(&SPEC).with(105);
    ended.says(&["SETUP SLOW", "prepare"]);
    ended.says(&["TERMINATING", "prepare"]);
    ended.says(&["error: setup script prepare: it did not end in the time that its slow-timeout gives it"]);
    let text = text.replace("trap \"\" TERM; ", "exec ");
    Suite::configured(&text).run(&SPEC).with(105).says(&["error: setup script prepare: it was ended by SIGTERM"]);
}

#[test]
fn a_signal_ends_a_script_with_all_it_started() {
    let suite = with("sleep 86397.11 & echo here >> $PLACE/here; wait", "all()");
    let mut command = suite.command(&[&["run"], &SPEC[..]].concat());
    let runner = Started::of(&mut command);
    runner.when(|| suite.place().join("here").exists()).gets(Signal::SIGINT);
    let ended = runner.end().with(130);
    ended.says(&["error: running the setup script prepare: stopped by SIGINT"]);
    nobody_sleeps_for("86397.11");
}

/// Two scripts, the second of which looks whether what the first has left still runs; it is left in a session of its own.
fn with_a_service(seconds: &str) -> Suite {
    Suite::configured(&format!(
        "[scripts.setup.serve]\ncommand = ['sh', '-c', 'setsid sleep {seconds} & echo $! > $PLACE/service']\n\
         [scripts.setup.look]\ncommand = ['sh', '-c', 'kill -0 $(cat $PLACE/service) && echo here >> $PLACE/here']\n\
         [[profile.default.scripts]]\nfilter = 'all()'\nsetup = ['serve', 'look']\n"
    ))
}

#[test]
fn what_a_script_leaves_running_goes_on_until_the_run_ends() {
    let suite = with_a_service("86397.12");
    suite.run(&SPEC).with(0);
    assert_eq!(suite.noted("here"), ["here"]);
    nobody_sleeps_for("86397.12");
}

#[test]
fn a_killed_runner_takes_its_scripts_and_what_they_left_with_it() {
    let kill = |suite: &Suite, arguments: &[&str], file: &str| {
        let mut command = suite.command(&[&["run", "-p", "behaviour"], arguments].concat());
        let runner = Started::of(&mut command);
        runner.when(|| suite.place().join(file).exists()).gets(Signal::SIGKILL);
        drop(runner.end_unheard());
    };
    // While a script runs, and while a test does.
    let script = "(setsid sleep 86397.13 &); echo here >> $PLACE/here; exec sleep 86397.14";
    kill(&with(script, "all()"), &[], "here");
    kill(&with_a_service("86397.15"), &["--test", "waits", "--exact", "until_told"], "started");
    for seconds in ["86397.13", "86397.14", "86397.15"] {
        nobody_sleeps_for(seconds);
    }
}

#[test]
fn scripts_run_in_the_order_of_the_file() {
    let text = "[scripts.setup.second]\ncommand = ['sh', '-c', 'echo second >> $PLACE/ran']\n\
                [scripts.setup.first]\ncommand = ['sh', '-c', 'echo first >> $PLACE/ran']\n\
                [[profile.default.scripts]]\nfilter = 'all()'\nsetup = ['first', 'second']\n";
    let suite = Suite::configured(text);
    suite.run(&SPEC).with(0);
    assert_eq!(suite.noted("ran"), ["second", "first"]);
}
