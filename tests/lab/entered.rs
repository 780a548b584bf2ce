//! How does somebody get into a test that is there still?

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use isotest_tests::{Ended, Fixture};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// A test of the fixture that has failed, and is held.
struct Held {
    runner: Child,
    /// What was said until then.
    said: Vec<String>,
}

impl Held {
    fn by(command: &Command) -> Held {
        // What comes on both outputs, in its order.
        let mut both = Command::new("sh");
        both.args(["-c", "exec \"$@\" 2>&1", "sh"]).arg(command.get_program()).args(command.get_args());
        both.env_clear().envs(std::env::vars_os()).current_dir(Fixture("labs").directory());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => both.env(name, value),
                None => both.env_remove(name),
            };
        }
        let both = both.env("ISOTEST_HOLD", "1").process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut runner = both.spawn().expect("there is a shell");
        let mut said = Vec::new();
        let mut lines = BufReader::new(runner.stdout.take().expect("it is piped")).lines();
        let mut ends = false;
        while !ends {
            let line = lines.next().unwrap_or_else(|| panic!("it ended before it was held: {said:#?}"));
            said.push(line.expect("text"));
            // The command stands on the line after that.
            ends = said.len() > 1 && said[said.len() - 2].contains("has failed, and is held");
        }
        Held { runner, said }
    }

    /// The command that leads to a host, or to the test itself.
    fn way_to(&self, host: Option<&str>) -> &str {
        let label = host.map_or_else(String::new, |host| format!("{host}: "));
        let start = format!("{label}nsenter ");
        let line = self.said.iter().rev().find(|line| line.trim_start().starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("no line begins {start:?} in {:#?}", self.said));
        &line.trim_start()[label.len()..]
    }

    /// What a program says there.
    fn ask(&self, host: Option<&str>, question: &str) -> String {
        let ended = Ended::of(Command::new("sh").args(["-c", &format!("{} {question}", self.way_to(host))]));
        ended.with(0).out.trim().to_owned()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        killpg(Pid::from_raw(self.runner.id().cast_signed()), Signal::SIGKILL).expect("it runs still");
        self.runner.wait().expect("it ends");
    }
}

#[test]
fn a_failed_test_is_held_and_its_hosts_are_entered_by_the_printed_command() {
    let held = Held::by(&Fixture("labs").cargo(&["test", "--test", "ends", "--", "--exact", "panics"]));
    for (host, address) in [("alice", "02:00:00:00:00:01"), ("bob", "02:00:00:00:00:02")] {
        assert_eq!(held.ask(Some(host), "hostname"), host);
        assert_eq!(held.ask(Some(host), "cat /sys/class/net/eth0/address"), address);
        assert!(held.ask(Some(host), "cat /etc/hosts").contains("10.128.0.2 bob"));
        assert_eq!(held.ask(Some(host), "id -u"), nix::unistd::getuid().to_string());
    }
    assert_eq!(held.ask(None, "hostname"), "isotest");
    assert_eq!(held.ask(None, "ls /sys/class/net"), "lo");
    assert!(held.ask(None, "ls /proc").lines().any(|entry| entry == "2"), "its processes are seen");
    let (way, process) = (held.way_to(None).to_owned(), held.way_to(None).split(' ').nth(3).map(str::to_owned));
    drop(held);
    let process = format!("/proc/{}", process.expect("the process's number"));
    while std::path::Path::new(&process).exists() {
        std::thread::yield_now(); // The server ends when it hears that its client has, and the test with it.
    }
    let ended = Ended::of(Command::new("sh").args(["-c", &format!("{way} true")]));
    assert_ne!(ended.code, Some(0), "nothing is left to enter");
}

#[test]
fn under_cargo_isotest_plain_tests_are_held_too() {
    let held = Held::by(&Fixture("labs").cargo_isotest(&["--test", "ends", "plain"]));
    assert_eq!(held.ask(Some("bob"), "hostname"), "bob");
}

#[test]
fn a_test_that_passes_is_not_held() {
    let mut command = Fixture("labs").cargo(&["test", "--test", "ends", "--", "--exact", "passes"]);
    Ended::of(command.env("ISOTEST_HOLD", "1")).with(0).says(&["test result: ok. 1 passed"]);
}
