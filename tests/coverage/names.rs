//! What profiles may be called: each name that people and tools choose, under each runner.

use std::fs;
use std::path::Path;

use crate::counts;
use crate::runner::{COVERED, Runner};

/// What `cargo llvm-cov` sets: a process id, and a pool of files into which processes merge.
const OF_CARGO_LLVM_COV: &str = "covered-%p-%16m.profraw";

#[test]
fn under_cargo_test_all_is_counted() {
    counts_all(Runner::CargoTest, OF_CARGO_LLVM_COV);
}

#[test]
fn under_cargo_isotest_all_is_counted() {
    counts_all(Runner::CargoIsotest, OF_CARGO_LLVM_COV);
}

#[test]
#[ignore = "needs cargo-nextest; .ci/run runs it"]
fn under_nextest_all_is_counted() {
    for pattern in [OF_CARGO_LLVM_COV, "%p.profraw", "%m.profraw"] {
        counts_all(Runner::Nextest, pattern);
    }
}

#[test]
fn by_process_id_alone_nothing_is_overwritten() {
    counts_all(Runner::CargoTest, "%p.profraw");
    counts_all(Runner::CargoIsotest, "%p.profraw");
}

#[test]
fn by_module_alone_all_is_merged() {
    counts_all(Runner::CargoTest, "%m.profraw");
    counts_all(Runner::CargoIsotest, "%m.profraw");
}

/// Without isotest, each binary would overwrite the one before.
#[test]
fn by_one_fixed_name_no_isolated_test_is_lost() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a new directory");
    Runner::CargoTest.passes(Some(&directory.path().join("fixed.profraw")));
    let counts = counts::in_directory(directory.path());
    for (function, count) in Runner::CargoTest.expected() {
        if !["a_plain_test", "an_unlinked_test"].contains(&&*function) {
            assert_eq!(counts.get(&function), Some(&count), "{function}");
        }
    }
    counts_all(Runner::CargoIsotest, "fixed.profraw");
}

#[test]
fn without_a_name_all_goes_where_rustc_s_own_name_says() {
    for runner in [Runner::CargoTest, Runner::CargoIsotest] {
        remove_profiles(&COVERED.directory());
        runner.passes(None);
        let counts = counts::in_directory(&COVERED.directory());
        remove_profiles(&COVERED.directory());
        assert_eq!(counts, runner.expected(), "{runner:?}");
    }
}

/// A test that the kernel kills, for its time is up or its memory, can't write what it has counted.
#[test]
fn a_test_that_fails_or_exits_is_counted() {
    for runner in [Runner::CargoTest, Runner::CargoIsotest] {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a new directory");
        runner.fails(Some(&directory.path().join(OF_CARGO_LLVM_COV)));
        let counts = counts::in_directory(directory.path());
        for function in ["an_isolated_test_that_panics", "an_isolated_test_that_exits"] {
            assert_eq!(counts.get(function), Some(&1), "{runner:?}: {function}");
        }
    }
}

fn counts_all(runner: Runner, pattern: &str) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a new directory");
    runner.passes(Some(&directory.path().join(pattern)));
    assert_eq!(counts::in_directory(directory.path()), runner.expected(), "{runner:?} with {pattern}");
}

fn remove_profiles(directory: &Path) {
    for entry in fs::read_dir(directory).expect("it exists").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "profraw") {
            fs::remove_file(entry.path()).expect("it is ours");
        }
    }
}
