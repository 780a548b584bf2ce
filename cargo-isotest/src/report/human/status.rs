//! Which word, in which colour, says how a test ended, and from which level on is it shown?

use std::borrow::Cow;

use anstyle::Style;
use isotest::runner::{Outcome, Subject};

use crate::cli::StatusLevel;
use crate::config::FinalStatusLevel;
use crate::event::{Attempt, Verdict};
use crate::report::terminal::{BAD, GOOD, ODD};

/// How an attempt is named.
pub(super) struct Status {
    pub(super) word: Cow<'static, str>,
    pub(super) style: Style,
    pub(super) level: StatusLevel,
    pub(super) final_level: FinalStatusLevel,
}

impl Status {
    /// nextest's words, and ours for what it does not know.
    pub(super) fn of_attempt(attempt: &Attempt) -> Status {
        let bad = |word: &'static str| Status::bad(word.into());
        let about = |subject| attempt.beside.iter().any(|note| note.subject == subject);
        // A note on anything else, such as where packets are kept, says nothing against the test.
        let odd =
            [(Subject::Leak, "LEAK"), (Subject::Egress, "EGRESS")].into_iter().find(|(subject, _)| about(*subject));
        let (level, final_level) = match &attempt.outcome {
            Outcome::Passed if attempt.slow => (StatusLevel::Slow, FinalStatusLevel::Slow),
            Outcome::Passed if odd.is_some() => (StatusLevel::Leak, FinalStatusLevel::Leak),
            _ => (StatusLevel::Pass, FinalStatusLevel::Pass),
        };
        match &attempt.outcome {
            Outcome::Passed if attempt.ended_late_and_well => {
                Status { word: "TIMEOUT-PASS".into(), style: ODD, level, final_level }
            }
            Outcome::Passed => {
                let (word, style) = odd.map_or(("PASS", GOOD), |(_, word)| (word, ODD));
                Status { word: word.into(), style, level, final_level }
            }
            Outcome::Skipped(_) => {
                let (level, final_level) = (StatusLevel::Skip, FinalStatusLevel::Skip);
                Status { word: "SKIP".into(), style: ODD, level, final_level }
            }
            Outcome::Leaked => bad("LEAK-FAIL"),
            Outcome::TriedToLeave => bad("EGRESS-FAIL"),
            Outcome::Signalled(signal) => Status::bad(signal_word(*signal)),
            Outcome::TimedOut => bad("TIMEOUT"),
            Outcome::ExitedEarly(_) => bad("EXIT"),
            Outcome::Killed | Outcome::ServerKilled => bad("KILLED"),
            Outcome::SetupFailed(_) => bad("SETUP"),
            _ => bad("FAIL"),
        }
    }

    /// A test that passed in the end may have failed all the same, by having failed before.
    pub(super) fn in_view_of(self, verdict: Verdict) -> Status {
        match verdict {
            Verdict::Failed => Status::bad(self.word),
            _ => self,
        }
    }

    fn bad(word: Cow<'static, str>) -> Status {
        Status { word, style: BAD, level: StatusLevel::Fail, final_level: FinalStatusLevel::Fail }
    }
}

/// `SIGSEGV`, or `SIG 34` where `signal(7)` has no name.
fn signal_word(signal: i32) -> Cow<'static, str> {
    match nix::sys::signal::Signal::try_from(signal) {
        Ok(signal) => signal.as_str().into(),
        Err(_) => format!("SIG {signal}").into(),
    }
}
