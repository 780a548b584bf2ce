//! The fixture `every-outcome`, run by `cargo isotest` as a user runs a workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use isotest_tests::{Ended, Fixture};
use tempfile::TempDir;

const EVERY_OUTCOME: Fixture = Fixture("every-outcome");

/// A target directory of its own, in which what all share is built: what one test's runs remember is nobody else's. It is also
/// the place where tests of the fixture and the tests here meet.
pub(crate) struct Suite {
    target: TempDir,
}

impl Suite {
    pub(crate) fn new() -> Suite {
        let target = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made");
        let shared = EVERY_OUTCOME.cargo(&[]);
        let shared = shared.get_envs().find(|(name, _)| *name == "CARGO_TARGET_DIR").and_then(|(_, value)| value);
        let debug = Path::new(shared.expect("fixtures have a target directory")).join("debug");
        fs::create_dir_all(&debug).expect("a directory can be made");
        std::os::unix::fs::symlink(debug, target.path().join("debug")).expect("a link can be made");
        Suite { target }
    }

    /// With this configuration.
    pub(crate) fn configured(text: &str) -> Suite {
        let suite = Suite::new();
        fs::write(suite.place().join("isotest.toml"), text).expect("the place is writable");
        suite
    }

    /// Where tests and those who run them meet.
    pub(crate) fn place(&self) -> &Path {
        self.target.path()
    }

    /// `cargo isotest ARGUMENTS`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = EVERY_OUTCOME.cargo_isotest(arguments);
        let configuration = self.configuration();
        if configuration.exists() {
            command.arg("--config-file").arg(configuration);
        }
        command.env("CARGO_TARGET_DIR", self.place()).env("PLACE", self.place()).env("CARGO_TERM_QUIET", "true");
        command
    }

    /// Runs `cargo isotest run ARGUMENTS`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(&[&["run"], arguments].concat()))
    }

    /// Runs `cargo isotest list ARGUMENTS`.
    pub(crate) fn list(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(&[&["list"], arguments].concat()))
    }

    /// What tests have noted in the file of this name, and forgets it.
    pub(crate) fn noted(&self, file: &str) -> Vec<String> {
        let path = self.place().join(file);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::remove_file(path).ok(); // Nobody has noted anything.
        text.lines().map(str::to_owned).collect()
    }

    fn configuration(&self) -> PathBuf {
        self.place().join("isotest.toml")
    }
}
