//! Which of the tests that were found are run? Each that is not is left out for one reason.
//!
//! As nextest decides: names and expressions must both agree, several expressions are alternatives, and the profile's default
//! filter holds on top of both unless it is ignored. The partition comes last, over what everything else has chosen.

use nextest_filtering::CompiledExpr;

use crate::cli::Names;
use crate::compile::Binary;
use crate::config::Profile;
use crate::filterset::Candidate;
use crate::list::{Listed, Test};
use crate::partition::{Dealt, Partition};
use crate::record::Record;

/// What decides.
pub(crate) struct Choice<'c> {
    /// What was typed about names.
    pub(crate) names: &'c Names,
    /// What was typed after `-E`; none means all.
    pub(crate) expressions: &'c [CompiledExpr],
    /// Whose default filter holds.
    pub(crate) profile: &'c Profile<'c>,
    /// Whether it doesn't.
    pub(crate) ignore_default_filter: bool,
    /// Only `#[isotest]` functions.
    pub(crate) isolated_only: bool,
    /// Only what did not pass last time.
    pub(crate) failed_before: bool,
    /// Which share.
    pub(crate) partition: Option<Partition>,
    /// How the tests fared last time.
    pub(crate) record: &'c Record,
    /// How long they took.
    pub(crate) timings: &'c Record,
}

/// Why a test is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// It is marked `#[ignore]`, or is not, as was typed.
    Ignored,
    /// Its name is not among those that were typed.
    Name,
    /// No expression that was typed means it.
    Expression,
    /// The profile's default filter does not mean it.
    DefaultFilter,
    /// It is no `#[isotest]` function.
    NotIsolated,
    /// It passed last time.
    PassedBefore,
    /// It is another machine's share.
    Partition,
}

impl LeftOut {
    /// nextest's words for it, and ours for what nextest does not know.
    pub(crate) fn word(self) -> &'static str {
        match self {
            LeftOut::Ignored => "ignored",
            LeftOut::Name => "string",
            LeftOut::Expression => "expression",
            LeftOut::DefaultFilter => "default-filter",
            LeftOut::NotIsolated => "not-isolated",
            LeftOut::PassedBefore => "rerun-already-passed",
            LeftOut::Partition => "partition",
        }
    }
}

/// Leaves out what was not chosen.
pub(crate) fn choose(listed: &mut Listed<'_>, choice: &Choice<'_>) {
    let binaries = &listed.binaries;
    for test in &mut listed.tests {
        let binary = binaries[test.binary].binary;
        test.left_out = choice.leaves_out(test, binary, &binary.facts.test(&test.name));
    }
    leave_out(listed);
    if let Some(partition) = choice.partition {
        let shares = choice.share(partition, listed);
        for (test, ours) in listed.tests.iter_mut().zip(shares) {
            test.left_out = (!ours).then_some(LeftOut::Partition);
        }
        leave_out(listed);
    }
}

/// Sets apart those that were marked as left out.
fn leave_out(listed: &mut Listed<'_>) {
    listed.skipped.extend(listed.tests.extract_if(.., |test| test.left_out.is_some()));
}

impl Choice<'_> {
    fn leaves_out(&self, test: &Test, binary: &Binary, candidate: &Candidate<'_>) -> Option<LeftOut> {
        let profile = self.profile;
        let failed = || self.record.last(&binary.id, &test.name).is_some_and(|last| !last.passed);
        let meant = || self.expressions.iter().any(|expression| profile.means(expression, candidate));
        let by_default = || profile.means(&profile.default_filter.value, candidate);
        match () {
            () if !self.names.takes_name(&test.name) => Some(LeftOut::Name),
            () if !self.names.takes_ignored(test.ignored) => Some(LeftOut::Ignored),
            () if !self.expressions.is_empty() && !meant() => Some(LeftOut::Expression),
            () if !self.ignore_default_filter && !by_default() => Some(LeftOut::DefaultFilter),
            () if self.isolated_only && !test.wrapped => Some(LeftOut::NotIsolated),
            () if self.failed_before && !failed() => Some(LeftOut::PassedBefore),
            () => None,
        }
    }

    /// For each of the chosen tests, whether it is in our share.
    fn share(&self, partition: Partition, listed: &Listed<'_>) -> Vec<bool> {
        let dealt = listed.tests.iter().map(|test| Dealt {
            binary: &listed.binaries[test.binary].binary.id,
            name: &test.name,
            ignored: test.ignored,
        });
        let dealt: Vec<_> = dealt.collect();
        partition.share(&dealt, &|test| self.timings.last(test.binary, test.name)?.took())
    }
}
