//! Remembers how the tests fared, for the next run.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::terminal::warning;
use super::{Reporter, Summary};
use crate::event::{Event, Finished, Verdict};
use crate::list::Listed;
use crate::record::{Last, Record};

/// Writes the record when the run is over.
pub(crate) struct Recorder {
    path: PathBuf,
    record: Record,
}

impl Recorder {
    /// On top of what is known already.
    pub(crate) fn new(path: &Path, mut record: Record, listed: &Listed<'_>) -> Recorder {
        for (at, ready) in listed.binaries.iter().enumerate() {
            let of_this = listed.tests.iter().chain(&listed.skipped).filter(|test| test.binary == at);
            let existing: HashSet<&str> = of_this.map(|test| test.name.as_str()).collect();
            record.keep_only(&ready.binary.id, &existing);
        }
        Recorder { path: path.to_owned(), record }
    }
}

impl Reporter for Recorder {
    fn tell(&mut self, event: &mut Event<'_, '_>) {
        match event {
            Event::Ended(case, finished) => {
                if let Some(last) = last(finished) {
                    self.record.remember(&case.ready.binary.id, &case.test.name, last);
                }
            }
            Event::Stopped(case, _) => {
                // How long it would have taken nobody knows; but it has not passed.
                let before = self.record.last(&case.ready.binary.id, &case.test.name);
                let seconds = before.map_or(0.0, |last| last.seconds);
                self.record.remember(&case.ready.binary.id, &case.test.name, Last { seconds, passed: false });
            }
            _ => {}
        }
    }

    fn finish(&mut self, _summary: &Summary) -> Result<(), String> {
        if let Err(error) = self.record.write(&self.path) {
            // It only helps the next run.
            warning(&format!("cannot remember how the tests fared in {}: {error}", self.path.display()));
        }
        Ok(())
    }
}

/// Writes how long the tests of this run took, and nothing that was known before.
pub(crate) struct Timings {
    path: PathBuf,
    record: Record,
}

impl Timings {
    /// To this file.
    pub(crate) fn new(path: &Path) -> Timings {
        Timings { path: path.to_owned(), record: Record::default() }
    }
}

impl Reporter for Timings {
    fn tell(&mut self, event: &mut Event<'_, '_>) {
        if let Event::Ended(case, finished) = event
            && let Some(last) = last(finished)
        {
            self.record.remember(&case.ready.binary.id, &case.test.name, last);
        }
    }

    fn finish(&mut self, _summary: &Summary) -> Result<(), String> {
        self.record.write_timings(&self.path)
    }
}

fn last(finished: &Finished) -> Option<Last> {
    let seconds = finished.last().took.as_secs_f64();
    match finished.verdict() {
        Verdict::Passed | Verdict::Flaky => Some(Last { seconds, passed: true }),
        Verdict::Failed => Some(Last { seconds, passed: false }),
        Verdict::Skipped => None,
    }
}
