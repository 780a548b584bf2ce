//! A run of the fixture `reported`.

use std::path::PathBuf;
use std::process::Command;

use isotest_tests::Fixture;
use tempfile::TempDir;

pub(crate) const REPORTED: Fixture = Fixture("reported");

/// A place for what a run writes.
pub(crate) struct Ran {
    directory: TempDir,
}

impl Ran {
    pub(crate) fn new() -> Ran {
        Ran { directory: TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("the target directory can be written") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `cargo isotest run ARGUMENTS`, in which the flaky test passes at its second attempt.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = REPORTED.cargo_isotest(&["run", "--no-fail-fast"]);
        command.args(arguments).env("REPORTED_FILE", self.path("runs")).env("REPORTED_RUNS", "2");
        command
    }
}
