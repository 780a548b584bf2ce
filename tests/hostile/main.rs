//! Tests that do the worst they can hurt only themselves: each ends as it must, all their neighbours pass, nothing
//! hangs, and nothing is left of them on the machine.

mod model;
#[path = "../guarantees/remains.rs"]
mod remains;

use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Command, Output};

use isotest_tests::{Fixture, text};
use model::{ENDS, End, NEIGHBOURS};
use nix::fcntl::{Flock, FlockArg};
use remains::{nothing_stays, processes_with};

const HOSTILE: Fixture = Fixture("hostile");

#[test]
fn under_cargo_test_they_hurt_only_themselves() {
    // Six threads, so that on any machine each has neighbours.
    let output = watched(&HOSTILE.cargo(&[]), &["test", "--test", "hostile", "--", "--test-threads=6"]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(101), "{text}");
    let verdict = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("test {name} ... ")));
        line.unwrap_or_else(|| panic!("nothing is said of {name}:\n{text}"))
    };
    for End { name, status, says } in ENDS {
        let isolated = !name.starts_with("plain::");
        let word = if isolated && *status == "PASS" { "ok" } else { "FAILED" };
        assert_eq!(verdict(name), word, "{name}:\n{text}");
        let says = if isolated { says } else { "this must not run outside a sandbox" };
        assert!(text.contains(says), "{name} does not say {says:?}:\n{text}");
    }
    for name in NEIGHBOURS {
        assert_eq!(verdict(name), "ok", "{name}:\n{text}");
    }
    assert!(text.contains(&format!("running {} tests", ENDS.len() + NEIGHBOURS.len())), "{text}");
}

#[test]
fn under_cargo_isotest_they_hurt_only_themselves() {
    let arguments = ["run", "--no-fail-fast", "--status-level", "all", "--test-threads=6", "--test", "hostile"];
    let output = watched(&HOSTILE.cargo_isotest(&[]), &arguments[..]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(100), "{text}");
    let status = |name: &str| {
        let line = text.lines().find(|line| line.ends_with(&format!(" hostile::hostile {name}")));
        line.and_then(|line| line.split_whitespace().next()).unwrap_or_else(|| panic!("nothing of {name}:\n{text}"))
    };
    for End { name, status: expected, says } in ENDS {
        assert_eq!(status(name), *expected, "{name}:\n{text}");
        assert!(text.contains(says), "{name} does not say {says:?}:\n{text}");
    }
    for name in NEIGHBOURS {
        assert_eq!(status(name), "PASS", "{name}:\n{text}");
    }
    assert!(text.contains(&format!("{} tests run:", ENDS.len() + NEIGHBOURS.len())), "{text}");
}

/// Runs the fixture, bounded in time, and looks for what is left of it.
fn watched(command: &Command, arguments: &[&str]) -> Output {
    // One run at a time, so that what is found is of this one.
    let lock = File::create(concat!(env!("CARGO_TARGET_TMPDIR"), "/hostile.lock")).expect("a file to lock");
    let _alone = Flock::lock(lock, FlockArg::LockExclusive).expect("the others end");
    let (mounts, ipc) = (lines_of("/proc/self/mountinfo"), lines_of("/proc/sysvipc/shm"));
    let mut bounded = Command::new("timeout");
    bounded.args(["--signal=KILL", "240"]).arg(command.get_program()).args(command.get_args()).args(arguments);
    bounded.current_dir(HOSTILE.directory());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bounded.env(name, value),
            None => bounded.env_remove(name),
        };
    }
    let output = bounded.output().expect("the fixture starts");
    let binary = format!("{}/debug/deps/hostile-", target(command));
    nothing_stays(|| processes_with(&binary));
    assert!(mounts.is_subset(&lines_of("/proc/self/mountinfo")), "mounts of the machine are gone or changed");
    assert!(!lines_of("/proc/self/mountinfo").iter().any(|mount| mount.contains("hostile")), "a mount is left");
    assert_eq!(lines_of("/proc/sysvipc/shm"), ipc);
    output
}

/// Where the fixture is built, and so what its processes are called.
fn target(command: &Command) -> String {
    let set = command.get_envs().find_map(|(name, value)| if name == "CARGO_TARGET_DIR" { value } else { None });
    set.expect("fixtures are built in a directory of their own").to_string_lossy().into_owned()
}

fn lines_of(file: &str) -> BTreeSet<String> {
    std::fs::read_to_string(file).expect("the kernel shows this").lines().map(str::to_owned).collect()
}
