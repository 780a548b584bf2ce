//! Which tests run, and what holds for each? From what was built to the tests that are chosen and settled, each of the others
//! with the reason why not.

use std::path::Path;
use std::rc::Rc;

use isotest::runner::Isolation;

use crate::choose::{Choice, choose};
use crate::cli::{Choose, Names};
use crate::compile::Built;
use crate::config::{Profile, SpecPatch, TestSettings};
use crate::configure::Configured;
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::{self, Listed, Test};
use crate::record::Record;
use crate::{Problem, report};

/// What decides which tests run.
pub(crate) struct Request<'r> {
    /// What was typed.
    pub(crate) options: &'r Choose,
    /// The same about names.
    pub(crate) names: &'r Names,
    /// The configuration.
    pub(crate) configured: &'r Configured,
    /// The profile in it.
    pub(crate) profile: &'r Profile<'r>,
    /// How the tests fared last time.
    pub(crate) record: &'r Record,
    /// How long they took, if a file says so.
    pub(crate) timings: Option<&'r Record>,
}

/// Lists, chooses, and settles what holds for each test.
pub(crate) fn tests<'a>(built: &'a Built, request: &Request<'_>, interrupt: &Interrupt) -> Result<Listed<'a>, Problem> {
    let Request { options, names, configured, profile, record, timings } = request;
    if options.rerun_failed && !record.has_failures() {
        built.cargo.wait(interrupt)?;
        report::terminal::warning("no test is known to have failed, so --rerun-failed leaves none");
    }
    let manner = list::Manner {
        interrupt,
        patience: profile.run.list_timeout.value,
        isolation: if profile.isolates_by_default() { Isolation::Required } else { Isolation::None },
        kept: &list::Kept::beside(&built.reports),
    };
    let mut listed = list::tests(&built.binaries, &manner)?;
    let choice = Choice {
        names,
        expressions: configured.expressions(),
        profile,
        ignore_default_filter: options.ignore_default_filter,
        isolated_only: options.isolated_only,
        failed_before: options.rerun_failed,
        partition: options.partition,
        record,
        timings: timings.unwrap_or(record),
    };
    choose(&mut listed, &choice);
    let (tests, binaries) = (&mut listed.tests, &listed.binaries);
    let mut distinct = Vec::new();
    for test in tests {
        settle(test, &binaries[test.binary].binary.facts, profile, &mut distinct)?;
    }
    Ok(listed)
}

/// Finds how tests that are left out are shown: only some reports ask, and it takes a while where there are thousands.
pub(crate) fn settle_skipped(listed: &mut Listed<'_>, profile: &Profile<'_>) {
    let mut distinct = Vec::new();
    for test in &mut listed.skipped {
        let binary = &listed.binaries[test.binary].binary.facts;
        test.settings = shared(profile.settings_for(&binary.test(&test.name)), &mut distinct);
    }
}

/// The same settings as those of an earlier test, where it has the same: there may be tens of thousands.
fn shared(settings: TestSettings, distinct: &mut Vec<Rc<TestSettings>>) -> Rc<TestSettings> {
    /// Tests beside one another are mostly alike.
    const LOOKED_AT: usize = 16;
    if let Some(same) = distinct.iter().rev().take(LOOKED_AT).find(|other| ***other == settings) {
        return Rc::clone(same);
    }
    distinct.push(Rc::new(settings));
    Rc::clone(&distinct[distinct.len() - 1])
}

/// Fills in what the test has not said itself.
fn settle(
    test: &mut Test,
    binary: &crate::filterset::BinaryFacts,
    profile: &Profile<'_>,
    distinct: &mut Vec<Rc<TestSettings>>,
) -> Result<(), Problem> {
    test.settings = shared(profile.settings_for(&binary.test(&test.name)), distinct);
    let patch = &test.settings.spec;
    let written = if test.wrapped { SpecPatch::asked_for(&test.written) } else { Vec::new() };
    if patch.says_anything() {
        patch.apply(Rc::make_mut(&mut test.spec), &written);
    }
    if !test.wrapped && !patch.isolation().0 {
        test.isolation = Isolation::None;
    }
    match test.spec.contradiction() {
        None => Ok(()),
        Some(contradiction) => Err(Problem {
            message: format!("what is configured for the test `{}` can't be: {contradiction}", test.name),
            code: Code::SetupFailed,
        }),
    }
}

/// How the tests fared last time.
pub(crate) fn record(reports: &Path) -> Record {
    Record::read(&crate::record::path(reports))
}

/// How long they took, as the file says that was typed.
pub(crate) fn timings(options: &Choose) -> Result<Option<Record>, Problem> {
    let Some(path) = &options.timing_file else { return Ok(None) };
    let read = Record::read_timings(path).map(Some);
    read.map_err(|message| Problem { message, code: Code::SetupFailed })
}
