//! However a test binary is compiled and linked, the door stays in it and its isolated tests run.

use std::env;

use isotest_tests::Ended;

use crate::runs::{DYNAMIC, SEVERAL, cargo_isotest, cargo_test, host};

/// With these flags to rustc, and to each cargo.
#[track_caller]
fn runs(rustc: &str, of_test: &[&str], of_isotest: &[&str]) {
    let suite = ["-p", "isolated", "--lib", "--no-fail-fast"];
    let mut by_test = cargo_test(SEVERAL, &[&suite[..], of_test].concat());
    let ended = Ended::of(by_test.env("RUSTFLAGS", rustc)).with(101);
    assert!(ended.out.contains("5 passed; 3 failed; 2 ignored"), "{by_test:?}: {ended:?}");
    let mut by_isotest = cargo_isotest(SEVERAL, &[&["run"], &suite[..], of_isotest].concat());
    let ended = Ended::of(by_isotest.env("RUSTFLAGS", rustc)).with(100);
    assert!(ended.err.contains("8 tests run: 5 passed, 3 failed, 2 skipped"), "{by_isotest:?}: {ended:?}");
}

#[test]
fn optimised_across_crates_and_stripped() {
    runs("", &["--profile", "smallest"], &["--cargo-profile", "smallest"]);
}

#[test]
fn with_panics_that_abort_which_cargo_ignores_for_tests() {
    runs("", &["--profile", "aborting"], &["--cargo-profile", "aborting"]);
}

#[test]
fn by_each_linker_that_is_here_without_what_nothing_refers_to() {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_here = |name: &str| env::split_paths(&path).any(|directory| directory.join(format!("ld.{name}")).exists());
    let linkers: Vec<_> = ["bfd", "lld", "mold"].into_iter().filter(|name| is_here(name)).collect();
    assert!(!linkers.is_empty(), "a linker is on the PATH");
    for linker in linkers {
        runs(&format!("-Clink-arg=-fuse-ld={linker} -Clink-arg=-Wl,--gc-sections"), &[], &[]);
    }
}

#[test]
fn without_any_shared_library() {
    let triple = host();
    let target = ["--target", &triple];
    runs("-Ctarget-feature=+crt-static", &target, &target);
}

#[test]
fn with_a_shared_standard_library_and_a_shared_crate() {
    let ended = Ended::of(&mut cargo_test(DYNAMIC, &["--no-fail-fast"])).with(101);
    assert!(ended.out.contains("2 passed; 0 failed") && ended.out.contains("2 passed; 1 failed"), "{ended:?}");
    let ended = Ended::of(&mut cargo_isotest(DYNAMIC, &["run", "--no-fail-fast"])).with(100);
    assert!(ended.err.contains("5 tests run: 4 passed, 1 failed"), "{ended:?}");
}
