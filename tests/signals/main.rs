//! Ctrl-C and its kin stop everything at once, in every phase, and the summary is printed all the same.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use isotest_tests::Fixture;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const ENDLESS: Fixture = Fixture("endless");

/// So long sleep the processes that tests start, and that the build script starts.
const OF_A_TEST: &str = "86398.97";
const OF_THE_BUILD: &str = "86398.98";

#[test]
fn every_signal_that_ends_programs_stops_the_tests_at_once() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let mut runner = start(&["run", "--no-fail-fast", "--test-threads", "2"]);
        wait_until(&mut runner, || count(OF_A_TEST) >= 2);
        kill(pid(&runner), signal).expect("the runner is there");
        let (text, code) = finish(runner);
        assert_eq!(code, Some(100), "{text}");
        assert!(text.contains(&format!("Stopping at once: {signal}")), "{text}");
        // What was stopped last time starts first, so who else has run by then depends on the run before.
        assert!(text.contains("/4 tests run: ") && text.contains(" passed, 0 failed"), "{text}");
        assert!(text.contains("not run because a signal stopped everything"), "{text}");
        let stopped = |name: &str| text.lines().filter(|line| line.contains("STOPPED") && line.contains(name)).count();
        assert_eq!([stopped("b_waits_for_a_daemon"), stopped("c_waits_and_ignores_signals")], [2, 2], "{text}");
        must_go_away(OF_A_TEST);
    }
}

#[test]
fn a_signal_during_the_build_stops_cargo_and_its_build_scripts() {
    let mut runner = start(&["run", "--features", "build-for-ever"]);
    wait_until(&mut runner, || count(OF_THE_BUILD) > 0);
    kill(pid(&runner), Signal::SIGTERM).expect("the runner is there");
    let (text, code) = finish(runner);
    assert_eq!(code, Some(130), "{text}");
    assert!(text.contains("error: building the tests: stopped by SIGTERM"), "{text}");
    must_go_away(OF_THE_BUILD);
}

fn start(arguments: &[&str]) -> Child {
    let mut command = ENDLESS.cargo_isotest(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the runner starts")
}

fn pid(process: &Child) -> Pid {
    Pid::from_raw(process.id().cast_signed())
}

/// What it wrote, and its exit code. Its end is not waited for but found: the stream ends with everything it started.
fn finish(mut runner: Child) -> (String, Option<i32>) {
    let lines = BufReader::new(runner.stderr.take().expect("a pipe")).lines();
    let text: Vec<String> = lines.map_while(Result::ok).collect();
    (text.join("\n"), runner.wait().expect("the runner ends").code())
}

fn wait_until(runner: &mut Child, happened: impl Fn() -> bool) {
    let since = Instant::now();
    while !happened() {
        let ended = runner.try_wait().expect("the runner can be asked");
        assert!(ended.is_none() && since.elapsed() < Duration::from_secs(300), "nothing to stop: {ended:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn must_go_away(argument: &str) {
    let since = Instant::now();
    while count(argument) > 0 {
        assert!(since.elapsed() < Duration::from_secs(20), "a process that sleeps {argument} is left");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How many processes sleep exactly so long.
fn count(argument: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("/proc can be read").flatten();
    let arguments = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    arguments.filter(|arguments| arguments.ends_with(format!("sleep\0{argument}\0").as_bytes())).count()
}
