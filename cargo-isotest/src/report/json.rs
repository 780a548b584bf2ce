//! The events of a run for programs, as docs/json.md describes them.

mod attempt;

use serde_json::{Value, json};

use super::json_lines::JsonLines;
use super::{Opening, Reporter, Summary};
use crate::binary::Ready;
use crate::event::{Case, Event, Finished, Verdict, Why};
use crate::exit_code::Code;

/// The version of what is written. Keys may be added within a version; it grows when one changes its meaning or goes away.
pub(super) const VERSION: &str = "1";

/// Writes each event as it comes.
pub(super) struct Json {
    lines: JsonLines,
}

impl Json {
    /// Tells what is to run, and what is not.
    pub(super) fn new(opening: &Opening<'_, '_>) -> Json {
        let mut lines = JsonLines::default();
        let listed = opening.listed;
        lines.line(&json!({
            "type": "run",
            "event": "started",
            "version": VERSION,
            "isotest": env!("CARGO_PKG_VERSION"),
            "tests": listed.tests.len(),
            "skipped": listed.skipped.len(),
            "copies": opening.copies,
            "seed": opening.seed,
            "binaries": listed.binaries.iter().map(binary).collect::<Vec<_>>(),
        }));
        for test in &listed.skipped {
            let case = Case { test, ready: &listed.binaries[test.binary], copy: None };
            let reason = test.left_out.map_or("", |reason| reason.word());
            lines.line(&about(case, "skipped", json!({ "reason": reason })));
        }
        Json { lines }
    }
}

fn binary(ready: &Ready<'_>) -> Value {
    let binary = ready.binary;
    json!({
        "binary-id": binary.id,
        "binary-name": binary.name,
        "package-name": binary.package,
        "package-id": binary.package_id,
        "kind": binary.kind,
        "binary-path": binary.executable,
        "cwd": binary.directory,
    })
}

/// An event of a test. What `more` has comes behind what all have.
fn about(case: Case<'_, '_>, event: &str, more: Value) -> Value {
    let mut document = json!({
        "type": "test",
        "event": event,
        "binary-id": case.ready.binary.id,
        "name": case.test.name,
    });
    if let Some(copy) = case.copy {
        document["copy"] = copy.into();
    }
    if let (Value::Object(all), Value::Object(more)) = (&mut document, more) {
        all.extend(more);
    }
    document
}

fn ended(case: Case<'_, '_>, finished: &mut Finished) -> Value {
    let verdict = match finished.verdict() {
        Verdict::Passed => "passed",
        Verdict::Flaky => "flaky",
        Verdict::Failed => "failed",
        Verdict::Skipped => "skipped",
    };
    let mut document = attempt::document(case, finished.last_mut());
    document["verdict"] = verdict.into();
    document["spec"] = json!(*case.test.spec);
    about(case, "ended", document)
}

fn why(why: Why) -> String {
    match why {
        Why::Signal(signal) => signal.as_str().to_owned(),
        Why::Failures => "max-fail".to_owned(),
        Why::GlobalTimeout => "global-timeout".to_owned(),
    }
}

impl Reporter for Json {
    fn tell(&mut self, event: &mut Event<'_, '_>) {
        let of_the_run = |event: &str| json!({ "type": "run", "event": event });
        let document = match event {
            Event::Started(case, number) => about(*case, "started", json!({ "attempt": number })),
            Event::Slow(case, slowness) => {
                let more = json!({
                    "elapsed": slowness.elapsed.as_secs_f64(),
                    "terminating": slowness.terminating,
                });
                about(*case, "slow", more)
            }
            Event::Retrying(case, attempt, delay) => {
                let mut document = attempt::document(*case, attempt);
                document["delay"] = delay.as_secs_f64().into();
                about(*case, "retrying", document)
            }
            Event::Ended(case, finished) => ended(*case, finished),
            Event::Stopped(case, cut_short) => {
                about(*case, "stopped", json!({ "elapsed": cut_short.elapsed.as_secs_f64() }))
            }
            Event::Stopping(reason) => json!({ "type": "run", "event": "stopping", "why": why(*reason) }),
            Event::Paused => of_the_run("paused"),
            Event::Resumed => of_the_run("resumed"),
            Event::Output(..) | Event::Asked(_) | Event::Tick => return,
        };
        self.lines.line(&document);
    }

    fn finish(&mut self, summary: &Summary) -> Result<(), String> {
        self.lines.line(&json!({
            "type": "run",
            "event": "ended",
            "well": summary.code() == Code::Passed,
            "duration": summary.took.as_secs_f64(),
            "binaries": summary.binaries,
            "tests": summary.to_run,
            "passed": summary.passed,
            "flaky": summary.flaky,
            "slow": summary.slow,
            "leaky": summary.leaky,
            "tried-to-leave": summary.tried_to_leave,
            "failed": summary.failed,
            "timed-out": summary.timed_out,
            "crashed": summary.crashed,
            "skipped": summary.skipped,
            "stopped": summary.stopped,
            "not-run": summary.not_run(),
            "not-isolated": summary.not_isolated + summary.wanted_no_sandbox,
        }));
        self.lines.finish()
    }
}
