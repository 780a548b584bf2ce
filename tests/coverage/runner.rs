//! The fixture `covered`, built with instrumentation and run in each of the ways in which tests are run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use isotest_tests::{Fixture, text};

use crate::counts::Counts;

pub(crate) const COVERED: Fixture = Fixture("covered");

/// How the fixture's tests are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    CargoTest,
    CargoIsotest,
    Nextest,
}

impl Runner {
    /// Runs all tests that pass; what it started may write its profiles to `pattern`.
    pub(crate) fn passes(self, pattern: Option<&Path>) {
        let output = self.command(pattern).output().expect("cargo starts");
        assert!(output.status.success(), "{self:?} {pattern:?}:\n{}", text(&output));
    }

    /// Runs those that fail.
    pub(crate) fn fails(self, pattern: Option<&Path>) {
        let mut command = self.command(pattern);
        match self {
            Runner::CargoTest => command.args(["--", "--ignored"]),
            Runner::CargoIsotest | Runner::Nextest => command.args(["--run-ignored", "only"]),
        };
        let output = command.output().expect("cargo starts");
        assert!(!output.status.success(), "{self:?} {pattern:?}:\n{}", text(&output));
    }

    fn command(self, pattern: Option<&Path>) -> Command {
        built();
        let mut command = match self {
            Runner::CargoTest => COVERED.cargo(&["test", "--tests", "--no-fail-fast"]),
            Runner::CargoIsotest => COVERED.cargo_isotest(&["run", "--no-fail-fast"]),
            Runner::Nextest => COVERED.cargo(&["nextest", "run", "--no-fail-fast"]),
        };
        instrument(&mut command);
        match pattern {
            Some(pattern) => command.env("LLVM_PROFILE_FILE", pattern),
            None => command.env_remove("LLVM_PROFILE_FILE"),
        };
        command
    }

    /// How often what is called when all that passes has passed.
    pub(crate) fn expected(self) -> Counts {
        let counts = [
            ("an_isolated_test", 20),
            ("a_plain_test", 20),
            ("an_isolated_test_that_should_panic", 20),
            ("a_program", 60),
            ("an_unlinked_test", 3),
        ];
        counts.into_iter().map(|(function, count)| (function.to_owned(), count)).collect()
    }
}

/// Builds the fixture once; its compilers write profiles too, because they load instrumented macros.
fn built() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = COVERED.cargo(&["test", "--tests", "--no-run"]);
        instrument(&mut build).env("LLVM_PROFILE_FILE", target().join("build/%p-%16m.profraw"));
        let output = build.output().expect("cargo starts");
        assert!(output.status.success(), "{}", text(&output));
    });
}

fn instrument(command: &mut Command) -> &mut Command {
    command.env("RUSTFLAGS", "-C instrument-coverage").env("CARGO_TARGET_DIR", target())
}

/// A target directory of its own: flags differ from all other fixtures'.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("instrumented")
}
