//! More tests and more output than anybody has: nothing is lost, and no memory is taken for it.
//!
//! The runner and all that it starts run under a limit to their data, `RLIMIT_DATA` of `setrlimit(2)`, that is far below what the
//! tests write. Whoever kept it all could not.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use isotest_tests::Fixture;
use tempfile::TempDir;

const FLOOD: Fixture = Fixture("flood");

/// In KiB. Cargo's own threads and tables have room in it.
const LITTLE: u64 = 192 << 10;

/// How a run ended.
struct Ran {
    directory: TempDir,
    code: Option<i32>,
}

impl Ran {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn lines(&self, name: &str) -> impl Iterator<Item = String> {
        let file = File::open(self.path(name)).expect("it was written");
        let lines = BufReader::with_capacity(1 << 20, file).split(b'\n');
        lines.map(|line| String::from_utf8_lossy(&line.expect("it can be read")).into_owned())
    }

    fn count(&self, name: &str, is_it: impl Fn(&str) -> bool) -> usize {
        self.lines(name).filter(|line| is_it(line)).count()
    }
}

/// Runs the tests of the binaries that `filter` means.
fn run(filter: &str, arguments: &[&str]) -> Ran {
    let built = FLOOD.cargo(&["test", "--no-run", "--quiet"]).status().expect("cargo starts");
    assert!(built.success(), "the fixture does not build");
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("the target directory can be written");
    let runner = FLOOD.cargo_isotest(&[]);
    let mut limited = Command::new("sh");
    let script = format!("ulimit -d {LITTLE}; exec \"$0\" \"$@\"");
    limited.args(["-c", &script]).arg(runner.get_program());
    limited.args(["isotest", "run", "--no-fail-fast", "-E", filter]).args(arguments);
    limited.arg("--junit").arg(directory.path().join("junit.xml"));
    limited.current_dir(FLOOD.directory());
    limited.envs(runner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let file = |name: &str| File::create(directory.path().join(name)).expect("the directory can be written");
    let status = limited.stdin(Stdio::null()).stdout(file("events")).stderr(file("report")).status();
    Ran { code: status.expect("sh starts").code(), directory }
}

/// `<testsuites … tests="20000" … failures="0">`.
fn counts(ran: &Ran) -> [String; 2] {
    let line = ran.lines("junit.xml").find(|line| line.starts_with("<testsuites")).expect("a report");
    ["tests", "failures"].map(|name| {
        let (_, rest) = line.split_once(&format!(" {name}=\"")).expect("it is counted");
        rest.split('"').next().unwrap_or_default().to_owned()
    })
}

#[test]
#[ignore = "takes a minute; .ci/run runs it"]
fn twenty_thousand_tests_in_fifty_binaries_are_each_told_once() {
    let ran = run("binary(/many_/)", &["--message-format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", fs::read_to_string(ran.path("report")).unwrap_or_default());
    assert_eq!(ran.count("report", |line| line.trim_start().starts_with("PASS [")), 20_000);
    assert_eq!(ran.count("report", |line| line.contains("20000 tests run: 20000 passed, 0 failed")), 1);
    assert_eq!(
        ran.count("events", |line| line.contains("\"event\":\"ended\"") && line.contains("flood::many_")),
        20_000
    );
    assert_eq!(ran.count("junit.xml", |line| line.trim_start().starts_with("<testcase ")), 20_000);
    assert_eq!(counts(&ran), ["20000", "0"]);
}

#[test]
#[ignore = "takes a minute; .ci/run runs it"]
fn five_hundred_failures_of_a_megabyte_each_are_shown_and_reported_whole() {
    let ran = run("binary(loud)", &["--failure-output", "immediate"]);
    assert_eq!(ran.code, Some(100));
    assert_eq!(ran.count("report", |line| line.contains("500 tests run: 0 passed, 500 failed")), 1);
    let lines_of_all = 500 * ((1 << 19) / 64);
    for stream in ["o ", "e "] {
        // An element of XML begins in front of the first line.
        let is_it = |line: &str| line[line.rfind('>').map_or(0, |at| at + 1)..].trim_start().starts_with(stream);
        assert_eq!(ran.count("report", is_it), lines_of_all, "{stream}");
        assert_eq!(ran.count("junit.xml", is_it), lines_of_all, "{stream}");
    }
    assert_eq!(counts(&ran), ["500", "500"]);
}

#[test]
#[ignore = "takes a minute; .ci/run runs it"]
fn of_a_gigabyte_the_beginning_and_the_end_stay_and_the_cut_is_told() {
    let ran = run("test(writes_a_gigabyte)", &["--run-ignored", "all", "--message-format", "json"]);
    assert_eq!(ran.code, Some(100));
    let number = |line: String| line.trim().parse::<u64>().ok();
    let numbers: Vec<u64> = ran.lines("report").filter_map(number).collect();
    let all = (1 << 30) / 64;
    let kept = (256 << 20) / 64;
    assert_eq!(numbers.len(), kept as usize);
    assert_eq!((numbers.first(), numbers.last()), (Some(&0), Some(&(all - 1))));
    assert_eq!(numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).count(), 1, "one gap");
    assert_eq!(ran.count("report", |line| line.contains("… 768 MiB cut here …")), 1);
    assert_eq!(ran.count("report", |line| line.contains("that was much")), 1);
    assert!(fs::metadata(ran.path("junit.xml")).expect("it was written").len() < 16 << 20);
    let ended = ran.lines("events").find(|line| line.contains("\"event\":\"ended\"") && line.contains("binary-id"));
    let ended: serde_json::Value = serde_json::from_str(&ended.expect("it ended")).expect("JSON");
    assert_eq!(ended["stdout"]["bytes"], 1 << 30);
    assert_eq!(ended["stdout"]["cut"], (1 << 30) - (4 << 20));
}
