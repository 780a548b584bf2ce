//! Tests that do the worst they can hurt only themselves: each ends as it must, all their neighbours pass, nothing
//! hangs, and nothing is left of them on the machine.

#[path = "../guarantees/bounded.rs"]
mod bounded;
mod model;
#[path = "../guarantees/remains.rs"]
mod remains;

use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Command, Output};

use bounded::bounded;
use isotest_tests::{Fixture, text};
use model::{ENDS, End, NEIGHBOURS, UNLINKED};
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
        let word = if isolated && matches!(*status, "PASS" | "LEAK" | "EGRESS") { "ok" } else { "FAILED" };
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
    let text = ends_under_cargo_isotest("hostile", ENDS);
    for name in NEIGHBOURS {
        assert_eq!(status_of(&format!("hostile::hostile {name}"), &text), "PASS", "{name}:\n{text}");
    }
    assert!(text.contains(&format!("{} tests run:", ENDS.len() + NEIGHBOURS.len())), "{text}");
}

#[test]
fn in_a_binary_without_isotest_they_hurt_only_themselves() {
    ends_under_cargo_isotest("unlinked", UNLINKED);
}

fn ends_under_cargo_isotest(binary: &str, ends: &[End]) -> String {
    let arguments = ["run", "--no-fail-fast", "--status-level", "all", "--test-threads=6", "--test", binary];
    let output = watched(&HOSTILE.cargo_isotest(&[]), &arguments);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(100), "{text}");
    for End { name, status, says } in ends {
        assert_eq!(status_of(&format!("hostile::{binary} {name}"), &text), *status, "{name}:\n{text}");
        assert!(text.contains(says), "{name} does not say {says:?}:\n{text}");
    }
    text
}

fn status_of<'a>(test: &str, text: &'a str) -> &'a str {
    let line = text.lines().find(|line| line.ends_with(&format!(" {test}")));
    line.and_then(|line| line.split_whitespace().next()).unwrap_or_else(|| panic!("nothing of {test}:\n{text}"))
}

/// Runs the fixture, bounded in time, and looks for what is left of it.
fn watched(command: &Command, arguments: &[&str]) -> Output {
    // One run at a time, so that what is found is of this one.
    let lock = File::create(concat!(env!("CARGO_TARGET_TMPDIR"), "/hostile.lock")).expect("a file to lock");
    let _alone = Flock::lock(lock, FlockArg::LockExclusive).expect("the others end");
    let (mounts, ipc) = (lines_of("/proc/self/mountinfo"), lines_of("/proc/sysvipc/shm"));
    let built = HOSTILE.cargo(&["test", "--no-run"]).output().expect("cargo starts");
    assert!(built.status.success(), "{}", text(&built));
    let mut bounded = bounded(command.get_program(), command);
    let output = bounded.args(command.get_args()).args(arguments).current_dir(HOSTILE.directory()).output();
    let output = output.expect("the fixture starts");
    // The tests themselves, and the programs they have started.
    let fixture = HOSTILE.directory().display().to_string();
    for words in [
        format!("{}/debug/deps/hostile-", target(command)),
        format!("{}/debug/deps/unlinked-", target(command)),
        fixture,
    ] {
        nothing_stays(|| processes_with(&words));
    }
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
