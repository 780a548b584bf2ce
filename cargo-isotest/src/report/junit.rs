//! What a CI server reads: JUnit's XML, of the same shape as nextest's.
//!
//! A suite is a binary, under stress a binary in one of its rounds. What is told of a test waits in a [`Spool`]: neither the
//! number of tests nor what they wrote makes this program larger. The file appears when the run is over, all at once.

mod case;
mod xml;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::cause::Cause;
use super::moment::Moment;
use super::spool::{Piece, Spool};
use super::{Opening, Reporter, Summary};
use crate::choose::LeftOut;
use crate::config::ReportSkipped;
use crate::event::{Attempt, Case, CutShort, Event, Finished};
use case::Told;
pub(crate) use xml::write_attribute;

/// Where the report goes, and what it is called.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    /// The file.
    pub(crate) path: PathBuf,
    /// The name of the report in it.
    pub(crate) name: String,
}

/// The report, as it grows.
pub(crate) struct Junit {
    to: Destination,
    started: SystemTime,
    spool: Spool,
    /// By binary and round.
    suites: BTreeMap<(usize, Option<usize>), Suite>,
    /// What was told of attempts whose tests are run again, by binary, name and round.
    before: HashMap<(usize, String, Option<usize>), Vec<Told>>,
    /// The first thing that could not be written.
    problem: Option<io::Error>,
}

/// The tests of one binary.
#[derive(Default)]
struct Suite {
    name: String,
    counts: Counts,
    cases: Vec<Piece>,
}

/// What XML's readers want to know before they have read all.
#[derive(Clone, Copy, Default)]
struct Counts {
    tests: usize,
    skipped: usize,
    failures: usize,
    errors: usize,
}

/// What a test is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Success,
    Skipped,
    Failure,
    Error,
}

impl Junit {
    /// Nothing is written yet.
    pub(super) fn new(to: Destination, opening: &Opening<'_, '_>) -> Junit {
        let mut junit = Junit {
            to,
            started: SystemTime::now(),
            spool: Spool::new(),
            suites: BTreeMap::new(),
            before: HashMap::new(),
            problem: None,
        };
        for test in &opening.listed.skipped {
            let wanted = match test.settings.junit_report_skipped.value {
                ReportSkipped::None => false,
                ReportSkipped::Ignored => test.left_out == Some(LeftOut::Ignored),
                ReportSkipped::All => true,
            };
            if let (true, Some(reason)) = (wanted, test.left_out) {
                let case = Case { test, ready: &opening.listed.binaries[test.binary], copy: None };
                junit.tell_of(case, |junit| junit.skipped(case, reason.word()));
            }
        }
        junit
    }

    /// A failing disk ends the report, not the run.
    fn tell_of(&mut self, case: Case<'_, '_>, write: impl FnOnce(&mut Junit) -> io::Result<(Mark, Vec<Piece>)>) {
        if self.problem.is_some() {
            return;
        }
        match write(self) {
            Ok((mark, pieces)) => self.suite(case).add(mark, pieces),
            Err(error) => self.problem = Some(error),
        }
    }

    fn suite(&mut self, case: Case<'_, '_>) -> &mut Suite {
        self.suites.entry((case.test.binary, case.copy)).or_insert_with(|| {
            let id = &case.ready.binary.id;
            let name = case.copy.map_or_else(|| id.clone(), |copy| format!("{id}@stress-{copy}"));
            Suite { name, ..Suite::default() }
        })
    }

    fn retrying(&mut self, case: Case<'_, '_>, attempt: &mut Attempt) {
        match Told::failed(case, attempt, &mut self.spool) {
            Ok(told) => self.before.entry(key(case)).or_default().push(told),
            Err(error) => _ = self.problem.get_or_insert(error),
        }
    }

    fn ended(&mut self, case: Case<'_, '_>, finished: &mut Finished) -> io::Result<(Mark, Vec<Piece>)> {
        let before = self.before.remove(&key(case)).unwrap_or_default();
        case::write(case, before, finished, &mut self.spool)
    }

    fn skipped(&mut self, case: Case<'_, '_>, reason: &str) -> io::Result<(Mark, Vec<Piece>)> {
        let piece = self.spool.add(|to| case::write_skipped(case, reason, to))?;
        Ok((Mark::Skipped, vec![piece]))
    }

    fn stopped(&mut self, case: Case<'_, '_>, cut_short: CutShort) -> io::Result<(Mark, Vec<Piece>)> {
        let cause = Cause::stopped();
        let piece = self.spool.add(|to| case::write_stopped(case, cut_short, &cause, to))?;
        Ok((Mark::Failure, vec![piece]))
    }

    fn write(&mut self, summary: &Summary, to: &mut dyn Write) -> io::Result<()> {
        let suites = std::mem::take(&mut self.suites);
        let all = suites.values().fold(Counts::default(), |all, suite| all.and(suite.counts));
        to.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites")?;
        write_attribute("name", &self.to.name, to)?;
        all.write(to)?;
        write_attribute("timestamp", &Moment(self.started).to_string(), to)?;
        write_attribute("time", &case::seconds(summary.took), to)?;
        to.write_all(b">\n")?;
        for suite in suites.into_values() {
            to.write_all(b"    <testsuite")?;
            write_attribute("name", &suite.name, to)?;
            suite.counts.write(to)?;
            to.write_all(b">\n")?;
            for piece in suite.cases {
                self.spool.copy(piece, to)?;
            }
            to.write_all(b"    </testsuite>\n")?;
        }
        to.write_all(b"</testsuites>\n")
    }
}

/// Which test it is, and which copy.
fn key(case: Case<'_, '_>) -> (usize, String, Option<usize>) {
    (case.test.binary, case.test.name.clone(), case.copy)
}

impl Suite {
    fn add(&mut self, mark: Mark, pieces: Vec<Piece>) {
        self.counts.add(mark);
        for piece in pieces {
            match self.cases.last().and_then(|last| last.followed_by(piece)) {
                Some(both) => *self.cases.last_mut().expect("there is one") = both,
                None => self.cases.push(piece),
            }
        }
    }
}

impl Counts {
    fn add(&mut self, mark: Mark) {
        self.tests += 1;
        match mark {
            Mark::Success => {}
            Mark::Skipped => self.skipped += 1,
            Mark::Failure => self.failures += 1,
            Mark::Error => self.errors += 1,
        }
    }

    fn and(self, other: Counts) -> Counts {
        Counts {
            tests: self.tests + other.tests,
            skipped: self.skipped + other.skipped,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
        }
    }

    fn write(self, to: &mut dyn Write) -> io::Result<()> {
        let Counts { tests, skipped, failures, errors } = self;
        write!(to, " tests=\"{tests}\" skipped=\"{skipped}\" errors=\"{errors}\" failures=\"{failures}\"")
    }
}

impl Reporter for Junit {
    fn tell(&mut self, event: &mut Event<'_, '_>) {
        match event {
            Event::Retrying(case, attempt, _) => self.retrying(*case, attempt),
            Event::Ended(case, finished) => self.tell_of(*case, |junit| junit.ended(*case, finished)),
            Event::Stopped(case, cut_short) => self.tell_of(*case, |junit| junit.stopped(*case, *cut_short)),
            _ => {}
        }
    }

    fn finish(&mut self, summary: &Summary) -> Result<(), String> {
        let path = self.to.path.clone();
        let written = match self.problem.take() {
            Some(error) => Err(error),
            None => write_at_once(&path, |to| self.write(summary, to)),
        };
        written.map_err(|error| format!("cannot write the JUnit report {}: {error}", path.display()))
    }
}

/// Whoever reads the file sees the old one or the new one, and never a part.
pub(crate) fn write_at_once(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut builder = tempfile::Builder::new();
    // Others may read it, as far as the user's umask allows: the file is no secret of this process.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let mut file = builder.permissions(readable).tempfile_in(directory)?;
    let mut to = BufWriter::with_capacity(64 << 10, &mut file);
    write(&mut to)?;
    to.flush()?;
    drop(to);
    file.persist(path)?;
    Ok(())
}
