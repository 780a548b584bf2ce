//! How a test ended: what init saw of its process, what its wrapper said, and what the two mean together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::report::Report;

/// How a test process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It exited with this status.
    Exited(i32),
    /// This signal killed it.
    Signalled(i32),
    /// It was killed because its time was up.
    TimedOut,
    /// It stopped itself, and no process was left that could have continued it.
    Stopped,
    /// It never started.
    SetupFailed(Failure),
}

/// What the wrapper inside the sandbox says of the test's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// Nothing: a plain `#[test]`, or the body never came to its end.
    None,
    /// The body returned success.
    Passed,
    /// The body returned failure.
    Failed,
    /// The body panicked, with this message if its payload was a string.
    Panicked(Option<String>),
}

/// A setup step that the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was attempted.
    pub step: String,
    /// Which part of the setup that belongs to.
    pub stage: Stage,
    /// What the kernel answered, `errno(3)`.
    pub errno: i32,
}

impl Failure {
    /// Whether this machine refuses what the spec asks for. A spec that contradicts itself, a fork server that can't be used and a file
    /// that can't be made are other matters, and no choice of the user's leaves out a test because of them.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(self.stage, Stage::Server | Stage::Spec | Stage::Captures)
    }
}

/// A part of the setup; which one was refused tells causes apart that share an errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Reading the spec, which contradicts itself: no machine could do it.
    Spec,
    /// Starting or asking the fork server.
    Server,
    /// Cloning init into its user and PID namespaces.
    Clone,
    /// Mapping user and group ids.
    IdMap,
    /// Making the other namespaces.
    Namespaces,
    /// Raising the loopback interface.
    Loopback,
    /// Mounting a fresh /proc.
    Proc,
    /// Any other mount.
    Mount,
    /// Making a file for the packets that are to be captured.
    Captures,
    /// Anything else.
    Other,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it should.
    Passed,
    /// It finished, and failed.
    Failed,
    /// It ended its own process with this status before it had finished.
    ExitedEarly(i32),
    /// This signal killed it.
    Signalled(i32),
    /// Its time was up.
    TimedOut,
    /// It stopped itself and nobody was left to continue it.
    Stopped,
    /// It did what it should, but left processes or files behind, which its spec forbids.
    Leaked,
    /// It did what it should, but tried to reach an address outside of its sandbox, which its spec forbids.
    TriedToLeave,
    /// Its sandbox could not be made.
    SetupFailed(Failure),
    /// Its sandbox could not be made, and the user chose to leave such tests out.
    Skipped(Failure),
    /// Its init was killed from outside, and it with its init.
    Killed,
    /// The fork server of its binary was killed from outside, and it with the server.
    ServerKilled,
}

impl Outcome {
    /// Whether the test passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        *self == Outcome::Passed
    }

    /// What a report means. `harness_finished` says whether the harness's own output tells that the test came to its
    /// end, which matters where no wrapper speaks.
    #[must_use]
    pub fn of(report: &Report, harness_finished: bool) -> Outcome {
        let finished = harness_finished || report.word != Word::None;
        match &report.end {
            End::Exited(0) if finished => Outcome::Passed,
            // 101 is how libtest ends when a test failed, and how std ends when main panicked.
            End::Exited(101) => Outcome::Failed,
            End::Exited(_) if harness_finished => Outcome::Failed,
            End::Exited(status) => Outcome::ExitedEarly(*status),
            End::Signalled(signal) => Outcome::Signalled(*signal),
            End::TimedOut => Outcome::TimedOut,
            End::Stopped => Outcome::Stopped,
            End::SetupFailed(failure) => Outcome::SetupFailed(failure.clone()),
        }
    }
}

/// Whether a panic with this message (`None`: its payload was no string) is what `#[should_panic]` waits for.
pub(crate) fn is_expected_panic(expected: &str, message: Option<&str>) -> bool {
    expected.is_empty() || message.is_some_and(|message| message.contains(expected))
}

/// Why a `#[should_panic]` test that finished has failed; `None` where the word explains nothing.
#[must_use]
pub fn unsatisfied(expected: &str, word: &Word) -> Option<String> {
    match word {
        Word::Passed | Word::Failed => Some("note: test did not panic as expected".to_owned()),
        Word::Panicked(None) => Some(format!(
            "note: the panic's payload was no string, so it can't contain the expected substring: {expected:?}"
        )),
        Word::Panicked(Some(message)) => Some(format!(
            "note: panic did not contain expected string\n      panic message: {message:?}\n expected substring: {expected:?}"
        )),
        Word::None => None,
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Passed => f.write_str("passed"),
            Outcome::Failed => f.write_str("failed"),
            Outcome::ExitedEarly(status) => write!(f, "exited before it finished (exit status {status})"),
            Outcome::Signalled(signal) => write!(f, "was killed by signal {signal} ({})", signal_name(*signal)),
            Outcome::TimedOut => f.write_str("timed out, and was killed with all that it had started"),
            Outcome::Stopped => f.write_str("stopped itself, and nothing was left that could continue it"),
            Outcome::Leaked => f.write_str("did what it should, but left something behind (leaks = \"fail\")"),
            Outcome::TriedToLeave => {
                f.write_str("did what it should, but tried to leave its sandbox (forbidden by egress)")
            }
            Outcome::SetupFailed(failure) => write!(f, "could not be isolated: {failure}"),
            Outcome::Skipped(failure) => write!(f, "was left out, because it could not be isolated: {failure}"),
            Outcome::Killed => f.write_str("was killed from outside, when its init was"),
            Outcome::ServerKilled => f.write_str("was killed from outside, when the fork server of its binary was"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errno {
            0 => f.write_str(&self.step), // The step says why: what failed was no system call.
            errno => write!(f, "{}: {}", self.step, std::io::Error::from_raw_os_error(errno)),
        }
    }
}

/// The name of a signal, as `signal(7)` has it.
#[cfg(target_os = "linux")]
fn signal_name(number: i32) -> String {
    nix::sys::signal::Signal::try_from(number)
        .map_or_else(|_| "a real-time signal".to_owned(), |s| s.as_str().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn signal_name(number: i32) -> String {
    number.to_string()
}
