//! Who hears of what happens: the report for people, and those for machines.

mod cause;
mod github;
mod human;
mod json;
mod json_lines;
mod junit;
mod libtest_json;
mod moment;
mod record;
mod spool;
pub(crate) mod summary;
pub(crate) mod terminal;

use std::path::Path;
use std::time::Duration;

use isotest::runner::Unavailable;

use crate::capture::{Limits, MIB};
use crate::cli::{MessageFormat, Reporting};
use crate::config::RunSettings;
use crate::event::Event;
use crate::exit_code::Code;
use crate::list::Listed;
use github::Annotations;
pub(crate) use human::{Human, quoted};
use json::Json;
use junit::Junit;
pub(crate) use junit::{Destination, write_at_once, write_attribute};
use libtest_json::{Dialect, LibtestJson};
pub(crate) use record::{Recorder, Timings};
pub(crate) use summary::Summary;

/// As much of each output is told to machines, which mostly hold it in memory: what people are shown has no such limit.
const STORED: Limits = Limits { first: 2 * MIB, last: 2 * MIB };

/// The version of a form that programs read; people's has none.
pub(crate) fn version(format: MessageFormat) -> Option<&'static str> {
    match format {
        MessageFormat::Human => None,
        MessageFormat::Json => Some(json::VERSION),
        MessageFormat::LibtestJson | MessageFormat::LibtestJsonPlus => Some(libtest_json::VERSION),
    }
}

/// One of them.
pub(crate) trait Reporter {
    /// Something has happened.
    fn tell(&mut self, event: &mut Event<'_, '_>);

    /// The run is over, and this is what it comes to. Gives what could not be done, if anything.
    fn finish(&mut self, summary: &Summary) -> Result<(), String>;
}

/// All of them, and what they count together.
pub(crate) struct Reports {
    summary: Summary,
    reporters: Vec<Box<dyn Reporter>>,
    tick: Option<Duration>,
}

/// What a run starts with.
pub(crate) struct Opening<'r, 'a> {
    /// The tests.
    pub(crate) listed: &'r Listed<'a>,
    /// What was typed.
    pub(crate) options: &'r Reporting,
    /// What holds for the run.
    pub(crate) run: &'r RunSettings,
    /// What happens to tests that can't be isolated.
    pub(crate) unavailable: Unavailable,
    /// The seed of the order, where it is random.
    pub(crate) seed: Option<u64>,
    /// How often each test runs, where that is known.
    pub(crate) copies: Option<usize>,
    /// Where a JUnit report is to be written.
    pub(crate) junit: Option<Destination>,
    /// Whether output is shown as it comes.
    pub(crate) live: bool,
    /// Whether a debugger or a tracer has the terminal.
    pub(crate) watched: bool,
    /// What the compiler's paths start from.
    pub(crate) workspace: &'r Path,
}

impl Opening<'_, '_> {
    /// How many times a test will run, if anybody knows.
    fn runs(&self) -> Option<usize> {
        self.copies.map(|copies| copies * self.listed.tests.len())
    }

    /// Whether copies of tests run, so that their rate is what counts.
    fn is_stress(&self) -> bool {
        self.copies != Some(1)
    }
}

impl Reports {
    /// All that the options ask for.
    pub(crate) fn new(opening: &Opening<'_, '_>) -> Reports {
        let human = Human::new(opening);
        let mut reports = Reports {
            summary: Summary::new(opening.listed, opening.unavailable),
            tick: human.tick(),
            reporters: vec![Box::new(human)],
        };
        if let Some(junit) = &opening.junit {
            reports.add(Box::new(Junit::new(junit.clone(), opening)));
        }
        match opening.options.message_format {
            MessageFormat::Human => {}
            MessageFormat::Json => reports.add(Box::new(Json::new(opening))),
            MessageFormat::LibtestJson => reports.add(Box::new(LibtestJson::new(opening, Dialect::Libtest))),
            MessageFormat::LibtestJsonPlus => reports.add(Box::new(LibtestJson::new(opening, Dialect::Nextest))),
        }
        if let Some(root) = github::wanted(opening) {
            reports.add(Box::new(Annotations::new(root)));
        }
        reports
    }

    /// With another.
    pub(crate) fn add(&mut self, reporter: Box<dyn Reporter>) {
        self.reporters.push(reporter);
    }

    /// How often they want to hear that time has passed.
    pub(crate) fn tick(&self) -> Option<Duration> {
        self.tick
    }

    /// Something has happened.
    pub(crate) fn tell(&mut self, mut event: Event<'_, '_>) {
        self.summary.count(&event);
        for reporter in &mut self.reporters {
            reporter.tell(&mut event);
        }
    }

    /// The run is over. Gives how the program ends: a report that somebody waits for in vain makes a failure of a success.
    pub(crate) fn finish(mut self) -> Code {
        self.summary.close();
        let mut code = self.summary.code();
        for reporter in &mut self.reporters {
            if let Err(problem) = reporter.finish(&self.summary) {
                terminal::error(&problem);
                code = if code == Code::Passed { Code::OutputFailed } else { code };
            }
        }
        code
    }
}
