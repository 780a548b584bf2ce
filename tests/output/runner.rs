//! The ways in which the fixture `talkative` is run.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use isotest_tests::{Fixture, text};

use crate::bounded::bounded;

const TALKATIVE: Fixture = Fixture("talkative");

/// A runner, and tests for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    runner: Runner,
    binary: &'static str,
    module: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Runner {
    CargoTest,
    CargoIsotest,
    Nextest,
}

/// Plain `cargo test`, which shows what it has captured in one piece, as text.
pub(crate) const CARGO_TEST: Way = Way { runner: Runner::CargoTest, binary: "talk", module: "isolated" };

/// `cargo isotest` with tests that call the library.
pub(crate) const CARGO_ISOTEST: Way = Way { runner: Runner::CargoIsotest, binary: "talk", module: "isolated" };

/// `cargo isotest` with plain tests, which return into the harness's own `main`.
pub(crate) const ITS_HARNESS: Way = Way { runner: Runner::CargoIsotest, binary: "talk", module: "plain" };

/// `cargo isotest` with a binary that does not link the library, and so is executed afresh.
pub(crate) const AFRESH: Way = Way { runner: Runner::CargoIsotest, binary: "unlinked", module: "plain" };

/// cargo-nextest, which not everybody has.
pub(crate) const NEXTEST: Way = Way { runner: Runner::Nextest, binary: "talk", module: "isolated" };

/// All that everybody has.
pub(crate) const ALL: [Way; 4] = [CARGO_TEST, CARGO_ISOTEST, ITS_HARNESS, AFRESH];

impl Way {
    /// The same with another of the fixture's binaries.
    pub(crate) fn binary(self, binary: &'static str) -> Way {
        Way { binary, ..self }
    }

    /// The test's name in its harness.
    pub(crate) fn name(self, test: &str) -> String {
        format!("{}::{test}", self.module)
    }

    /// A command that runs this one test, and these arguments of the runner.
    pub(crate) fn command(self, test: &str, arguments: &[&str]) -> Command {
        let mut command = match self.runner {
            Runner::CargoTest => {
                let mut command = bounded(env!("CARGO"), &TALKATIVE.cargo(&[]));
                command.args(["test", "--quiet", "--test", self.binary, "--", "--exact", &self.name(test)]);
                command
            }
            Runner::CargoIsotest => {
                let cargo_isotest = TALKATIVE.cargo_isotest(&[]);
                let mut command = bounded(cargo_isotest.get_program(), &cargo_isotest);
                command.args(["isotest", "run", "--test", self.binary, "--exact", &self.name(test)]);
                command
            }
            Runner::Nextest => {
                let mut command = bounded(env!("CARGO"), &TALKATIVE.cargo(&[]));
                let only = format!("test(={})", self.name(test));
                command.args(["nextest", "run", "--test", self.binary, "-E", &only]);
                command
            }
        };
        built();
        command.args(arguments).current_dir(TALKATIVE.directory()).stdin(Stdio::null());
        command
    }

    /// Runs this one test, which must fail.
    pub(crate) fn fails(self, test: &str, arguments: &[&str]) -> Output {
        let output = self.command(test, arguments).output().expect("the runner starts");
        let expected = match self.runner {
            Runner::CargoTest => 101,
            Runner::CargoIsotest | Runner::Nextest => 100,
        };
        assert_eq!(output.status.code(), Some(expected), "{self:?}: {}", text(&output));
        output
    }

    /// Runs this one test, which must pass.
    pub(crate) fn passes(self, test: &str, arguments: &[&str]) -> Output {
        let output = self.command(test, arguments).output().expect("the runner starts");
        assert!(output.status.success() && text(&output).contains("1 passed"), "{self:?}: {}", text(&output));
        output
    }
}

/// The test binary that is built from this file, to be run without cargo.
pub(crate) fn executable(source: &str) -> PathBuf {
    let said = built();
    let source = format!("Executable {source} (");
    let named = said.lines().find_map(|line| line.trim().strip_prefix(&source)?.strip_suffix(')'));
    TALKATIVE.directory().join(named.unwrap_or_else(|| panic!("no {source} in\n{said}")))
}

/// The same, running one test, and bounded in time.
pub(crate) fn directly(source: &str, test: &str) -> Command {
    let mut command = bounded(executable(source), &TALKATIVE.cargo(&[]));
    command.args(["--exact", test]).current_dir(TALKATIVE.directory()).stdin(Stdio::null());
    command
}

/// Builds the fixture, once and not bounded in time; gives what cargo said.
fn built() -> &'static str {
    static SAID: OnceLock<String> = OnceLock::new();
    SAID.get_or_init(|| {
        let build = TALKATIVE.cargo(&["test", "--no-run", "--tests"]).output().expect("cargo starts");
        assert!(build.status.success(), "{}", text(&build));
        text(&build)
    })
}
