//! The contract between generated code and this library.

use std::process::{ExitCode, Termination};

use crate::Spec;

/// One `#[isotest]` function, as the attribute describes it.
pub trait IsolatedTest {
    /// `module_path!()` and the function's name, joined by `::`.
    const PATH: &'static str;
    /// Where the function carries `#[should_panic]`: what the message must contain.
    const SHOULD_PANIC: Option<&'static str> = None;
    /// Which arguments the attribute has, by their names; all else in the spec is a default.
    const WRITTEN: &'static [&'static str] = &[];
    /// What it asks for.
    fn spec() -> Spec;
    /// Calls the function.
    fn body() -> ExitCode;
}

/// Calls a test's function, whatever it returns.
pub fn finish<R: Termination>(body: fn() -> R) -> ExitCode {
    body().report()
}
