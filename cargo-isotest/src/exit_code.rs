//! Exit codes are an interface. Where cargo-nextest has a code for the same thing, ours is the same.

use std::process::ExitCode;

/// How `cargo isotest` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Every test that ran passed.
    Passed = 0,
    /// What was typed can't be, as clap ends.
    WrongOptions = 2,
    /// There was no test to run.
    NoTests = 4,
    /// An expression after `-E` is none.
    InvalidFilterset = 94,
    /// The configuration can't be.
    SetupFailed = 96,
    /// At least one test failed, or was stopped by a signal to this program.
    Failed = 100,
    /// Cargo could not build the tests.
    BuildFailed = 101,
    /// The workspace could not be read.
    MetadataFailed = 102,
    /// The archive could not be made.
    ArchiveFailed = 103,
    /// A test binary could not be asked for its tests.
    ListFailed = 104,
    /// A setup script failed.
    ScriptFailed = 105,
    /// What was to be written could not be.
    OutputFailed = 110,
    /// The machine does not allow the isolation that was asked for.
    CannotIsolate = 120,
    /// A signal to this program came before the first test, as shells count SIGINT.
    Interrupted = 130,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code as u8)
    }
}
