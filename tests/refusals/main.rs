//! When the machine says no: each kind of refusal has one report that names its true cause, and the user decides what
//! becomes of the tests.
//!
//! The refusals are made in namespaces of our own by the program in `refusing-machine/`.

mod chroots;
mod containers;
mod limits;
mod machine;
mod policy;
mod root;
mod sysctls;

use machine::Machine;

/// Both ways to run tests end with the code that is theirs, and with this one report, for the test `first`.
#[track_caller]
fn refuses(machine: &Machine, report: &str) {
    let ended = machine.cargo_test(&["--test", "anywhere", "--", "--test-threads=1"]);
    assert_eq!(ended.reports(), [report], "{}", ended.text);
    assert_eq!(ended.code, Some(101), "{}", ended.text);
    assert!(ended.text.contains("1 passed; 3 failed; 0 ignored"), "{}", ended.text);
    let ended = machine.cargo_isotest(&["--test", "anywhere", "--test-threads=1"]);
    assert_eq!(ended.reports(), [report], "{}", ended.text);
    assert_eq!(ended.code, Some(120), "{}", ended.text);
    assert!(ended.text.contains("4 tests run: 0 passed, 4 failed, 0 skipped"), "{}", ended.text);
}

/// The whole suite passes, and those of its tests that pass only in a whole sandbox are among it.
#[track_caller]
fn isolates(machine: &Machine) {
    let ended = machine.cargo_test(&[]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert!(ended.text.contains("6 passed; 0 failed; 0 ignored"), "{}", ended.text);
    let ended = machine.cargo_isotest(&[]);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert!(ended.text.contains("11 tests run: 11 passed, 0 failed, 0 skipped"), "{}", ended.text);
    assert!(!ended.text.contains("not isolated"), "{}", ended.text);
}

#[test]
fn a_machine_that_refuses_nothing_isolates() {
    isolates(&Machine::of_a_user());
    isolates(&Machine::of_root_in_a_container());
}

#[test]
fn a_run_says_it_once_however_many_tests_run_at_once() {
    let machine = Machine::of_a_user().that("filter=docker");
    let ended = machine.cargo_test(&["--test", "sandboxed", "--", "--test-threads=6"]);
    assert_eq!(ended.reports().len(), 1, "{}", ended.text);
    assert_eq!(ended.text.matches("see the report of").count(), 5, "{}", ended.text);
    let ended = machine.cargo_isotest(&["--test-threads=6"]);
    assert_eq!(ended.reports().len(), 1, "{}", ended.text);
    assert!(ended.text.contains("11 tests run: 0 passed, 11 failed, 0 skipped"), "{}", ended.text);
}

#[test]
fn without_proc_even_the_binary_alone_says_why() {
    let ended = Machine::of_a_user().that("cover=/proc").test_binary(&["--exact", "first"]);
    let report = "\
error: cannot isolate `first`: /proc is not mounted

  failed at      looking for this test binary (no /proc/self/exe available. Is /proc mounted?)
  because        /proc/self/mountinfo can't be read

  remedy         mount -t proc proc /proc, as root
isotest: ";
    assert!(ended.text.contains(report), "{}", ended.text);
    // Not even the server could be asked, so nothing can be chosen.
    assert!(!ended.text.contains("ISOTEST_UNAVAILABLE"), "{}", ended.text);
    assert_eq!(ended.code, Some(101), "{}", ended.text);
}
