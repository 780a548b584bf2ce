//! Which ratios does the project promise, and does this run keep them?

use crate::measure::Measurement;
use crate::rows::Row;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Small,
    Big,
}

/// At most `limit` times as long as `against`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) of: (Row, Size),
    against: (Row, Size),
    limit: f64,
    words: &'static str,
}

pub(crate) const TARGETS: [Target; 4] = [
    Target {
        of: (Row::CargoIsotest, Size::Small),
        against: (Row::Floor, Size::Small),
        limit: 1.25,
        words: "the floor",
    },
    Target { of: (Row::CargoIsotest, Size::Small), against: (Row::Nextest, Size::Small), limit: 0.5, words: "nextest" },
    Target {
        of: (Row::CargoTest, Size::Small),
        against: (Row::CargoIsotest, Size::Small),
        limit: 1.25,
        words: "cargo isotest",
    },
    Target {
        of: (Row::CargoIsotest, Size::Big),
        against: (Row::CargoIsotest, Size::Small),
        limit: 10.5,
        words: "the small suite",
    },
];

/// Memory of a run of ten times as many tests: some room for a heap that settles, none for growth per test.
pub(crate) const MEMORY: f64 = 1.1;

impl Target {
    pub(crate) fn verdict(&self, measured: &[Measurement]) -> String {
        let ratio = ratio(median(measured, self.of), median(measured, self.against));
        format!("≤ {} × {}: {}", self.limit, self.words, word(ratio, self.limit))
    }
}

pub(crate) fn word(ratio: Option<f64>, limit: f64) -> String {
    match ratio {
        Some(ratio) if ratio <= limit => format!("met ({ratio:.2})"),
        Some(ratio) => format!("**not met** ({ratio:.2})"),
        None => "not measured".to_owned(),
    }
}

pub(crate) fn ratio(of: Option<f64>, against: Option<f64>) -> Option<f64> {
    Some(of? / against?)
}

pub(crate) fn median(measured: &[Measurement], (row, size): (Row, Size)) -> Option<f64> {
    let tests = tests(measured, size)?;
    measured.iter().find(|one| one.row == row && one.tests == tests)?.median()
}

/// How many tests a suite of this size has in this run.
pub(crate) fn tests(measured: &[Measurement], size: Size) -> Option<usize> {
    let all = measured.iter().map(|one| one.tests);
    match size {
        Size::Small => all.min(),
        Size::Big => all.max(),
    }
}
