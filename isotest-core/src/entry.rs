//! What the attribute's generated code calls. (Placeholder while the sandbox is being written: runs in place.)
use crate::Spec;
use std::process::{ExitCode, Termination};

/// One `#[isotest]` function, as the attribute describes it.
pub trait IsolatedTest {
    /// `module_path!()` and the function's name, joined by `::`.
    const PATH: &'static str;
    /// Whether the function carries `#[should_panic]`.
    const SHOULD_PANIC: bool;
    /// What it asks for.
    fn spec() -> Spec;
}

/// What the wrapper returns to the test harness.
#[derive(Debug)]
pub struct Verdict(ExitCode);

impl Termination for Verdict {
    fn report(self) -> ExitCode {
        self.0
    }
}

/// Runs `body` in a sandbox of its own.
pub fn run<T: IsolatedTest, R: Termination>(body: fn() -> R) -> Verdict {
    let _spec = T::spec();
    Verdict(body().report())
}

/// The same for `#[should_panic]` functions, which the harness wants to return `()`.
pub fn run_should_panic<T: IsolatedTest>(body: fn()) {
    body();
}
