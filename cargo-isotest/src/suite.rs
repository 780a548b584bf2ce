//! Which suite was built, how is it configured, and which of its tests are chosen? What `run` and `list` have in common.

use crate::cli::{Cargo, Choose, Configuration, Names, Reuse};
use crate::compile::Built;
use crate::config::{Layer, Profile, RunLayer};
use crate::configure::{Configured, Typed};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::Listed;
use crate::record::Record;
use crate::report::quoted;
use crate::select::Request;
use crate::source::Source;
use crate::{Problem, select};

/// What was typed.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'o> {
    pub(crate) choose: &'o Choose,
    pub(crate) configuration: &'o Configuration,
    pub(crate) reuse: &'o Reuse,
    pub(crate) cargo: &'o Cargo,
}

/// A suite.
pub(crate) struct Suite<'o> {
    /// What cargo built.
    pub(crate) built: Built,
    /// What was typed about names.
    pub(crate) names: Names,
    choose: &'o Choose,
    configured: Configured,
}

/// Its tests that are chosen.
pub(crate) struct Chosen<'s> {
    /// They, and those that are not.
    pub(crate) listed: Listed<'s>,
    /// How they fared last time.
    pub(crate) record: Record,
    /// How long they took, if a file says so.
    pub(crate) timings: Option<Record>,
}

impl<'o> Suite<'o> {
    /// Builds it, or takes it from its archive.
    pub(crate) fn build(wanted: Wanted<'o>, interrupt: &Interrupt) -> Result<Suite<'o>, Problem> {
        let Wanted { choose, configuration, reuse, cargo } = wanted;
        let names = choose.names().map_err(|message| Problem { message, code: Code::WrongOptions })?;
        let mut source = Source::begin(cargo, reuse, interrupt)?;
        let configured = Configured::read(&Typed { configuration, choose, cargo }, &mut source, interrupt)?;
        let mut built = source.finish(interrupt)?;
        let again = cargo.manner().into_iter().chain(configuration.arguments());
        let again: String = again.map(|argument| format!(" {}", quoted(&argument))).collect();
        built.binaries.iter_mut().for_each(|binary| binary.selection.push_str(&again));
        Ok(Suite { built, names, choose, configured })
    }

    /// The configuration that holds, under what was typed about the run and about tests.
    pub(crate) fn profile(&self, typed: (RunLayer, Layer)) -> Result<Profile<'_>, Problem> {
        self.configured.profile(&self.built.host_or_target, typed)
    }

    /// Asks the binaries for their tests, and chooses.
    pub(crate) fn tests(&self, profile: &Profile<'_>, interrupt: &Interrupt) -> Result<Chosen<'_>, Problem> {
        let record = select::record(&self.built.reports);
        let timings = select::timings(self.choose)?;
        let request = Request {
            options: self.choose,
            names: &self.names,
            configured: &self.configured,
            profile,
            record: &record,
            timings: timings.as_ref(),
        };
        let listed = select::tests(&self.built, &request, interrupt)?;
        self.built.cargo.wait(interrupt)?;
        Ok(Chosen { listed, record, timings })
    }
}
