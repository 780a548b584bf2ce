//! One line for one test, and what stands below it.

use std::fmt::Display;
use std::time::Duration;

use isotest::runner::Isolation;

use crate::event::{Attempt, Case};
use crate::report::terminal::{COUNT, DIM, NAME, ODD, Styled};

/// `        PASS [   0.003s] (1/3) binary module::test`.
pub(super) fn line(status: &impl Display, time: &str, position: &str, case: Case<'_, '_>) -> String {
    format!("{status:>12} [{time}] {position}{}\n", named(case))
}

/// A test by its binary and its path.
pub(super) fn named(case: Case<'_, '_>) -> String {
    let name = &case.test.name;
    let (modules, function) = name.rsplit_once("::").map_or(("", &name[..]), |(modules, function)| (modules, function));
    let separator = if modules.is_empty() { "" } else { "::" };
    let copy = case.copy.map(|copy| format!(" #{}", copy + 1)).unwrap_or_default();
    format!(
        "{} {}{separator}{}{copy}",
        Styled(COUNT, &case.ready.binary.id),
        Styled(DIM, modules),
        Styled(NAME, function)
    )
}

/// What is worth a word beside how the test ended.
pub(super) fn notes(attempt: &Attempt) -> String {
    let mut text = String::new();
    if attempt.isolation == Isolation::None {
        text.push_str(&format!("             {}\n", Styled(ODD, "run without a sandbox")));
    }
    for line in attempt.beside.iter().flat_map(|note| note.text.lines()) {
        text.push_str(&format!("             {line}\n"));
    }
    text
}

/// What the test took of the machine, and what kept it apart.
pub(super) fn usage(attempt: &Attempt) -> String {
    let Some(report) = &attempt.report else { return String::new() };
    let usage = &report.usage;
    let apart: Vec<String> = report.isolation.namespaces.iter().map(ToString::to_string).collect();
    format!(
        "             user {:.3}s, system {:.3}s, memory {:.1} MiB, own {}\n",
        usage.user.as_secs_f64(),
        usage.system.as_secs_f64(),
        usage.peak_memory as f64 / f64::from(1 << 20),
        if apart.is_empty() { "nothing".to_owned() } else { apart.join(" ") },
    )
}

/// How many there are of something.
pub(super) fn count(number: usize, [one, many]: [&str; 2]) -> String {
    format!("{} {}", Styled(COUNT, &number.to_string()), if number == 1 { one } else { many })
}

/// So many, as the subject of a sentence.
pub(super) fn were(number: usize) -> String {
    if number == 1 { "1 test was".to_owned() } else { format!("{number} tests were") }
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{:>8.3}s", duration.as_secs_f64())
}

/// Which of how many tests has ended, in each line where there is no progress bar.
pub(super) struct Counter {
    ended: usize,
    all: usize,
    shown: bool,
}

impl Counter {
    pub(super) fn new(all: usize, shown: bool) -> Counter {
        Counter { ended: 0, all, shown }
    }

    /// For the test that has just ended.
    pub(super) fn next(&mut self) -> String {
        self.ended += 1;
        self.all = self.all.max(self.ended);
        if self.shown { format!("({:>width$}/{}) ", self.ended, self.all, width = self.width()) } else { String::new() }
    }

    /// How many of how many have ended.
    pub(super) fn ended(&self) -> String {
        if self.all == 0 { self.ended.to_string() } else { format!("{} of {}", self.ended, self.all) }
    }

    /// For a line about a test that has not ended.
    pub(super) fn blank(&self) -> String {
        if self.shown { format!("({0:─>width$}) ", "", width = 2 * self.width() + 1) } else { String::new() }
    }

    fn width(&self) -> usize {
        self.all.to_string().len()
    }
}
