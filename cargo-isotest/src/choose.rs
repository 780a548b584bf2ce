//! Which of the tests that were found are run? Each that is not is left out for one reason.

use crate::cli::Names;
use crate::compile::Binary;
use crate::list::{Listed, Test};
use crate::record::Record;

/// What decides.
pub(crate) struct Choice<'c> {
    /// What was typed about names.
    pub(crate) names: &'c Names,
    /// Only `#[isotest]` functions.
    pub(crate) isolated_only: bool,
    /// Only what did not pass last time, as this remembers it.
    pub(crate) failed_before: Option<&'c Record>,
}

/// Why a test is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// It is marked `#[ignore]`, or is not, as was typed.
    Ignored,
    /// Its name is not among those that were typed.
    Name,
    /// It is no `#[isotest]` function.
    NotIsolated,
    /// It passed last time.
    PassedBefore,
}

impl LeftOut {
    /// nextest's words for it, and ours for what nextest does not know.
    pub(crate) fn word(self) -> &'static str {
        match self {
            LeftOut::Ignored => "ignored",
            LeftOut::Name => "string",
            LeftOut::NotIsolated => "not-isolated",
            LeftOut::PassedBefore => "rerun-already-passed",
        }
    }
}

/// Leaves out what was not chosen.
pub(crate) fn choose(listed: &mut Listed<'_>, choice: &Choice<'_>) {
    for mut test in std::mem::take(&mut listed.tests) {
        test.left_out = choice.leaves_out(&test, listed.binaries[test.binary].binary);
        let to = if test.left_out.is_none() { &mut listed.tests } else { &mut listed.skipped };
        to.push(test);
    }
}

impl Choice<'_> {
    fn leaves_out(&self, test: &Test, binary: &Binary) -> Option<LeftOut> {
        let failed_before = |record: &Record| record.last(&binary.id, &test.name).is_some_and(|last| !last.passed);
        match () {
            () if !self.names.takes_name(&test.name) => Some(LeftOut::Name),
            () if !self.names.takes_ignored(test.ignored) => Some(LeftOut::Ignored),
            () if self.isolated_only && !test.wrapped => Some(LeftOut::NotIsolated),
            () if !self.failed_before.is_none_or(failed_before) => Some(LeftOut::PassedBefore),
            () => None,
        }
    }
}
