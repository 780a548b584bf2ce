//! The events of a run as libtest's unstable JSON has them, in nextest's manner: a suite is a binary, a test's name is
//! `PACKAGE::BINARY$NAME`, with `#2` behind it if the second attempt counts.
//!
//! Readers of libtest's form expect one suite after the other, so a suite is written when all of its tests have ended.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use isotest::runner::Outcome;
use serde_json::{Value, json};

use super::json_lines::JsonLines;
use super::spool::{Piece, Spool};
use super::{Opening, Reporter, STORED, Summary};
use crate::choose::LeftOut;
use crate::event::{Attempt, Case, Event, Finished, Verdict};
use crate::list::{Listed, Test};

/// The version of the form, as nextest counts it.
pub(super) const VERSION: &str = "0.1";

/// Writes the suites.
pub(super) struct LibtestJson {
    lines: JsonLines,
    spool: Spool,
    /// What each suite begins with, by binary; `None` where a binary has no test to speak of.
    beginnings: Vec<Option<Suite>>,
    /// Those that have begun, by binary and copy.
    suites: BTreeMap<(usize, Option<usize>), Suite>,
    dialect: Dialect,
}

/// Whose form it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// libtest's own.
    Libtest,
    /// The same with nextest's additions.
    Nextest,
}

/// A binary's tests.
#[derive(Clone)]
struct Suite {
    package: String,
    name: String,
    kind: String,
    /// How many have not ended.
    left: usize,
    ignored: Vec<String>,
    filtered_out: usize,
    passed: usize,
    failed: usize,
    took: Duration,
    pieces: Vec<Piece>,
}

impl LibtestJson {
    /// Nothing is written yet, but for suites of which no test is to run.
    pub(super) fn new(opening: &Opening<'_, '_>, dialect: Dialect) -> LibtestJson {
        let listed = opening.listed;
        let beginnings = (0..listed.binaries.len()).map(|at| Suite::begin(listed, at)).collect();
        let (lines, spool) = (JsonLines::default(), Spool::new());
        let mut json = LibtestJson { lines, spool, beginnings, suites: BTreeMap::new(), dialect };
        for at in 0..json.beginnings.len() {
            if let Some(suite) = json.beginnings[at].take_if(|suite| suite.left == 0) {
                json.write(suite, None);
            }
        }
        json
    }

    fn ended(&mut self, case: Case<'_, '_>, finished: &mut Finished) {
        let key = (case.test.binary, case.copy);
        let verdict = finished.verdict();
        let last = finished.last_mut();
        let name = name(case, last.number);
        let Some(suite) = self.suite(key) else { return };
        suite.left -= 1;
        suite.took += last.took;
        let event = match verdict {
            Verdict::Passed | Verdict::Flaky => {
                suite.passed += 1;
                "ok"
            }
            Verdict::Failed => {
                suite.failed += 1;
                "failed"
            }
            Verdict::Skipped => {
                suite.ignored.push(test_name(case));
                "ignored"
            }
        };
        if verdict != Verdict::Skipped {
            let started = json!({ "type": "test", "event": "started", "name": test_name(case) });
            let written = self.spool.add(|to| {
                writeln!(to, "{started}")?;
                writeln!(to, "{}", document(&name, event, last)?)
            });
            self.keep(key, written);
        }
        self.write_if_over(key);
    }

    fn stopped(&mut self, case: Case<'_, '_>) {
        let key = (case.test.binary, case.copy);
        let Some(suite) = self.suite(key) else { return };
        suite.left -= 1;
        suite.failed += 1;
        let name = test_name(case);
        let written = self.spool.add(|to| {
            writeln!(to, "{}", json!({ "type": "test", "event": "started", "name": name }))?;
            let reason = "the run was stopped";
            writeln!(to, "{}", json!({ "type": "test", "event": "failed", "name": name, "reason": reason }))
        });
        self.keep(key, written);
        self.write_if_over(key);
    }

    fn suite(&mut self, key: (usize, Option<usize>)) -> Option<&mut Suite> {
        let beginning = self.beginnings.get(key.0)?.as_ref()?;
        Some(self.suites.entry(key).or_insert_with(|| beginning.clone()))
    }

    fn keep(&mut self, key: (usize, Option<usize>), written: io::Result<Piece>) {
        match (written, self.suites.get_mut(&key)) {
            (Ok(piece), Some(suite)) => suite.pieces.push(piece),
            (Ok(_), None) => {}
            (Err(error), _) => self.lines.fail(error),
        }
    }

    fn write_if_over(&mut self, key: (usize, Option<usize>)) {
        if self.suites.get(&key).is_some_and(|suite| suite.left == 0)
            && let Some(suite) = self.suites.remove(&key)
        {
            self.write(suite, key.1);
        }
    }

    fn write(&mut self, suite: Suite, copy: Option<usize>) {
        let count = suite.passed + suite.failed + suite.ignored.len() + suite.left;
        let mut started = json!({ "type": "suite", "event": "started", "test_count": count });
        let mut ended = json!({
            "type": "suite",
            "event": if suite.failed == 0 { "ok" } else { "failed" },
            "passed": suite.passed,
            "failed": suite.failed,
            "ignored": suite.ignored.len(),
            "measured": 0,
            "filtered_out": suite.filtered_out,
            "exec_time": suite.took.as_secs_f64(),
        });
        if self.dialect == Dialect::Nextest {
            let mut own = json!({ "crate": suite.package, "test_binary": suite.name, "kind": suite.kind });
            if let Some(copy) = copy {
                own["stress_index"] = copy.into();
            }
            started["nextest"] = own.clone();
            ended["nextest"] = own;
        }
        self.lines.line(&started);
        for name in &suite.ignored {
            for event in ["started", "ignored"] {
                self.lines.line(&json!({ "type": "test", "event": event, "name": name }));
            }
        }
        for piece in suite.pieces {
            let mut lines = Vec::new();
            match self.spool.copy(piece, &mut lines) {
                Ok(()) => self.lines.bytes(&lines),
                Err(error) => self.lines.fail(error),
            }
        }
        self.lines.line(&ended);
    }
}

impl Suite {
    fn begin(listed: &Listed<'_>, at: usize) -> Option<Suite> {
        let binary = listed.binaries[at].binary;
        let of_this = |tests: &'_ [Test]| tests.iter().filter(|test| test.binary == at).count();
        let skipped = listed.skipped.iter().filter(|test| test.binary == at);
        let (ignored, others): (Vec<_>, Vec<_>) = skipped.partition(|test| test.left_out == Some(LeftOut::Ignored));
        let ignored = ignored.into_iter();
        let ignored = ignored.map(|test| test_name(Case { test, ready: &listed.binaries[at], copy: None })).collect();
        let suite = Suite {
            package: binary.package.clone(),
            name: binary.name.clone(),
            kind: binary.kind.clone(),
            left: of_this(&listed.tests),
            ignored,
            filtered_out: others.len(),
            passed: 0,
            failed: 0,
            took: Duration::ZERO,
            pieces: Vec::new(),
        };
        (suite.left + suite.ignored.len() > 0).then_some(suite)
    }
}

impl Reporter for LibtestJson {
    fn tell(&mut self, event: &mut Event<'_, '_>) {
        match event {
            Event::Ended(case, finished) => self.ended(*case, finished),
            Event::Stopped(case, _) => self.stopped(*case),
            _ => {}
        }
    }

    fn finish(&mut self, _summary: &Summary) -> Result<(), String> {
        // Those of which not every test has come to run.
        for ((_, copy), suite) in std::mem::take(&mut self.suites) {
            self.write(suite, copy);
        }
        self.lines.finish()
    }
}

fn test_name(case: Case<'_, '_>) -> String {
    let binary = case.ready.binary;
    let copy = case.copy.map_or_else(String::new, |copy| format!("@stress-{copy}"));
    format!("{}::{}{copy}${}", binary.package, binary.name, case.test.name)
}

fn name(case: Case<'_, '_>, attempt: u32) -> String {
    let name = test_name(case);
    if attempt > 1 { format!("{name}#{attempt}") } else { name }
}

fn document(name: &str, event: &str, attempt: &mut Attempt) -> io::Result<Value> {
    let mut document = json!({ "type": "test", "event": event, "name": name, "exec_time": attempt.took.as_secs_f64() });
    if event != "failed" {
        return Ok(document);
    }
    match &attempt.outcome {
        Outcome::TimedOut => document["reason"] = "time limit exceeded".into(),
        // What libtest has no words for.
        Outcome::Failed | Outcome::Passed => {}
        other => document["message"] = format!("the test {other}").into(),
    }
    // libtest catches both streams as one; here they are two, and come one after the other.
    let mut text = attempt.stdout.excerpt(STORED)?.bytes;
    text.extend(attempt.stderr.excerpt(STORED)?.bytes);
    document["stdout"] = String::from_utf8_lossy(&text).into();
    Ok(document)
}
