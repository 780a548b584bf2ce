//! What generated code calls on a system other than Linux, where there are no namespaces: `entry` in its absence.
//!
//! The attribute marks its tests as ignored there. One that is run all the same is a test that can't be isolated, and
//! as everywhere `ISOTEST_UNAVAILABLE` says what becomes of it.

use std::process::ExitCode;

use crate::isolated::IsolatedTest;
use crate::unavailable::Unavailable;

/// What the wrapper returns to the test harness.
pub type Verdict = ExitCode;

/// Runs the body without isolation, or not at all.
///
/// # Panics
///
/// When the choice is to fail; otherwise as the body does.
pub fn run<T: IsolatedTest>() -> Verdict {
    match Unavailable::chosen() {
        Ok(Unavailable::Run) => T::body(),
        Ok(Unavailable::Skip) => ExitCode::SUCCESS,
        Ok(Unavailable::Fail) => panic!("cannot isolate `{}`: isotest needs the namespaces of Linux", T::PATH),
        Err(problem) => panic!("{problem}"),
    }
}

/// The same for `#[should_panic]` functions, which the harness wants to return `()`. A test that is not run does not
/// panic, so that it fails, unless it is to be left out.
///
/// # Panics
///
/// As the body does, and with the words that the harness waits for when the choice is to leave tests out.
pub fn run_should_panic<T: IsolatedTest>() {
    match Unavailable::chosen() {
        Ok(Unavailable::Run) => drop(T::body()),
        Ok(Unavailable::Skip) => panic!("{}", T::SHOULD_PANIC.unwrap_or_default()),
        Ok(Unavailable::Fail) => eprintln!("cannot isolate `{}`: isotest needs the namespaces of Linux", T::PATH),
        Err(problem) => eprintln!("{problem}"),
    }
}
