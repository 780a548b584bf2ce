//! Which tests run? From what was built to the tests that are chosen, each of the others with the reason why not.

use crate::choose::{Choice, choose};
use crate::cli::{Choose, Names};
use crate::compile::Built;
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::{self, Listed};
use crate::record::{self, Record};
use crate::{Problem, report};

/// The chosen tests and what was needed to choose them.
pub(crate) struct Selected<'a> {
    /// The tests.
    pub(crate) listed: Listed<'a>,
    /// What was typed about names.
    pub(crate) names: Names,
    /// How they fared last time.
    pub(crate) record: Record,
}

/// Lists and chooses.
pub(crate) fn tests<'a>(built: &'a Built, options: &Choose, interrupt: &Interrupt) -> Result<Selected<'a>, Problem> {
    let names = options.names().map_err(|message| Problem { message, code: Code::WrongOptions })?;
    let record = Record::read(&record::path(&built.target_directory));
    if options.rerun_failed && !record.has_failures() {
        report::terminal::warning("no test is known to have failed, so --rerun-failed leaves none");
    }
    let mut listed = list::tests(&built.binaries, interrupt)?;
    let failed_before = options.rerun_failed.then_some(&record);
    choose(&mut listed, &Choice { names: &names, isolated_only: options.isolated_only, failed_before });
    Ok(Selected { listed, names, record })
}
