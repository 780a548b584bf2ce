//! Why has a test failed, and where? What its own words say, and where they say nothing, how it ended.

mod words;

use isotest::runner::{End, Outcome, Word};

use crate::capture::{Limits, MIB};
use crate::event::{Attempt, Case};
pub(crate) use words::Place;
use words::{Words, find};

/// Where a panic's message is looked for: so much at the end of standard error.
const SEARCHED: Limits = Limits { first: 0, last: MIB };

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// In a line, as nextest's reports have it: `thread 'name' panicked at src/lib.rs:1:2`.
    pub(crate) headline: String,
    /// The panic's or the error's own message, or how the test ended.
    pub(crate) message: String,
    /// Where it panicked.
    pub(crate) place: Option<Place>,
    /// All that was written about it: the message, a backtrace, and what came after.
    pub(crate) text: String,
}

impl Cause {
    /// Of an attempt that did not pass.
    pub(crate) fn of(case: Case<'_, '_>, attempt: &mut Attempt) -> Cause {
        let ending = format!("the test {}", attempt.outcome);
        let speaks = matches!(
            attempt.outcome,
            Outcome::Failed | Outcome::Signalled(_) | Outcome::ExitedEarly(_) | Outcome::Stopped
        );
        let none = Word::None;
        let word = attempt.report.as_ref().map_or(&none, |report| &report.word);
        // Where it can't be read, there is still how the test ended.
        let stderr = if speaks { attempt.stderr.excerpt(SEARCHED).ok() } else { None };
        let words = stderr.and_then(|stderr| find(&String::from_utf8_lossy(&stderr.bytes), &case.test.name, word));
        match (&attempt.note, words) {
            // What a test that should have panicked did instead; a panic with other words tells where.
            (Some(note), words) if note.starts_with("note: ") && case.test.should_panic.is_some() | words.is_none() => {
                Cause::of_note(note, words)
            }
            (_, Some(Words { headline, message, place, text })) => Cause { headline, message, place, text },
            (Some(note), None) => Cause::of_note(note, None),
            (None, None) => match word {
                Word::Panicked(Some(message)) => Cause::in_words(message.clone()),
                _ => Cause::in_words(ending),
            },
        }
    }

    /// Of a test that failed because it was flaky, at this attempt of so many.
    pub(crate) fn flaky(attempts: usize, of: usize) -> Cause {
        Cause::in_words(format!("the test passed on attempt {attempts}/{of}, and a flaky test is to fail"))
    }

    /// Of a test that was running when everything was stopped.
    pub(crate) fn stopped() -> Cause {
        Cause::in_words("the test was running when everything was stopped".to_owned())
    }

    fn of_note(note: &str, words: Option<Words>) -> Cause {
        let note = note.strip_prefix("note: ").unwrap_or(note);
        let line = note.lines().next().unwrap_or_default();
        // libtest says where a test stands that has not panicked.
        let own = line.rsplit_once(" at ").and_then(|(_, place)| Place::parse(place));
        let place = words.and_then(|words| words.place).or(own);
        Cause { headline: line.to_owned(), message: note.to_owned(), place, text: note.to_owned() }
    }

    fn in_words(message: String) -> Cause {
        let headline = message.lines().next().unwrap_or_default().to_owned();
        Cause { headline, text: message.clone(), message, place: None }
    }
}

/// nextest's words for a kind of failure, and ours for those that it does not know.
pub(crate) fn kind(attempt: &Attempt) -> String {
    match &attempt.outcome {
        Outcome::Signalled(_) => "test abort".to_owned(),
        Outcome::TimedOut => "test timeout".to_owned(),
        Outcome::ExitedEarly(status) => format!("test exit before its end with exit code {status}"),
        Outcome::Stopped => "test stop".to_owned(),
        Outcome::Leaked => "test exited with code 0, but left something behind so was marked failed".to_owned(),
        Outcome::TriedToLeave => {
            "test exited with code 0, but tried to leave its sandbox so was marked failed".to_owned()
        }
        Outcome::SetupFailed(_) => "execution failure".to_owned(),
        Outcome::Killed | Outcome::ServerKilled => "test killed from outside".to_owned(),
        _ => match attempt.report.as_ref().map(|report| &report.end) {
            Some(End::Exited(status)) => format!("test failure with exit code {status}"),
            _ => "test failure".to_owned(),
        },
    }
}
