//! How is one test told?

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use isotest::runner::{Outcome, Report};

use super::Mark;
use super::xml::{write_attribute, write_bytes, write_text};
use crate::config::FlakyFailStatus;
use crate::event::{Attempt, Case, CutShort, Finished, Verdict};
use crate::report::STORED;
use crate::report::cause::{Cause, kind};
use crate::report::moment::Moment;
use crate::report::spool::{Piece, Spool};

/// What waits to be told of an attempt.
pub(super) struct Told {
    mark: Mark,
    timestamp: SystemTime,
    time: Duration,
    message: String,
    kind: String,
    /// What stands in the element.
    description: Piece,
    /// `system-out` and `system-err`.
    outputs: Piece,
}

impl Told {
    /// Of an attempt that failed.
    pub(super) fn failed(case: Case<'_, '_>, attempt: &mut Attempt, spool: &mut Spool) -> io::Result<Told> {
        let cause = Cause::of(case, attempt);
        let erroneous = matches!(attempt.outcome, Outcome::SetupFailed(_) | Outcome::Leaked | Outcome::TriedToLeave);
        Ok(Told {
            mark: if erroneous { Mark::Error } else { Mark::Failure },
            timestamp: attempt.started_at,
            time: attempt.took,
            message: cause.headline,
            kind: kind(attempt),
            description: spool.add(|to| write_text(&cause.text, to))?,
            outputs: outputs(case.test.settings.junit_store_failure_output.value, attempt, spool)?,
        })
    }
}

/// A test that has ended, with the attempts before the last one.
pub(super) fn write(
    case: Case<'_, '_>,
    before: Vec<Told>,
    finished: &mut Finished,
    spool: &mut Spool,
) -> io::Result<(Mark, Vec<Piece>)> {
    let (verdict, attempts) = (finished.verdict(), finished.attempts.len());
    let last = finished.last_mut();
    let settings = &case.test.settings;
    if let Outcome::Skipped(failure) = &last.outcome {
        let reason = format!("could not be isolated: {failure}");
        return Ok((Mark::Skipped, vec![spool.add(|to| write_skipped(case, &reason, to))?]));
    }
    if !last.outcome.passed() {
        // As nextest has it, the first failure is the test's own, and the later ones are its re-runs.
        let mut all = before;
        // One that waited to be tried again when everything was stopped has been told already.
        if all.len() < attempts {
            all.push(Told::failed(case, last, spool)?);
        }
        let main = all.remove(0);
        let name = if main.mark == Mark::Error { "error" } else { "failure" };
        let mut pieces = vec![spool.add(|to| {
            open(case, Some((main.timestamp, main.time)), last.report.as_ref(), to)?;
            open_element(name, None, &main, to)
        })?];
        pieces.push(main.description);
        pieces.push(spool.add(|to| writeln!(to, "</{name}>"))?);
        for rerun in all {
            element(["rerunFailure", "rerunError"], rerun, &mut pieces, spool)?;
        }
        pieces.push(main.outputs);
        pieces.push(spool.add(close)?);
        return Ok((main.mark, pieces));
    }
    let failed_by_flakiness =
        verdict == Verdict::Failed && settings.junit_flaky_fail_status.value == FlakyFailStatus::Failure;
    let mut pieces = vec![spool.add(|to| {
        open(case, Some((last.started_at, last.took)), last.report.as_ref(), to)?;
        if failed_by_flakiness {
            let all = settings.retries.value.count as usize + 1;
            write_failure(&Cause::flaky(attempts, all), "flaky failure", to)?;
        }
        Ok(())
    })?];
    for rerun in before {
        element(["flakyFailure", "flakyError"], rerun, &mut pieces, spool)?;
    }
    let output = if failed_by_flakiness {
        settings.junit_store_failure_output.value
    } else {
        settings.junit_store_success_output.value
    };
    pieces.push(outputs(output, last, spool)?);
    pieces.push(spool.add(close)?);
    Ok((if failed_by_flakiness { Mark::Failure } else { Mark::Success }, pieces))
}

/// A test that was left out.
pub(super) fn write_skipped(case: Case<'_, '_>, reason: &str, to: &mut dyn Write) -> io::Result<()> {
    open(case, None, None, to)?;
    to.write_all(b"            <skipped")?;
    write_attribute("message", reason, to)?;
    to.write_all(b"/>\n")?;
    close(to)
}

/// A test that was running when everything was stopped.
pub(super) fn write_stopped(
    case: Case<'_, '_>,
    cut_short: CutShort,
    cause: &Cause,
    to: &mut dyn Write,
) -> io::Result<()> {
    open(case, Some((cut_short.started, cut_short.elapsed)), None, to)?;
    write_failure(cause, "test stopped", to)?;
    close(to)
}

/// As all times are written.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn open(
    case: Case<'_, '_>,
    time: Option<(SystemTime, Duration)>,
    report: Option<&Report>,
    to: &mut dyn Write,
) -> io::Result<()> {
    to.write_all(b"        <testcase")?;
    write_attribute("name", &case.test.name, to)?;
    write_attribute("classname", &case.ready.binary.id, to)?;
    if let Some((timestamp, time)) = time {
        write_times(timestamp, time, to)?;
    }
    to.write_all(b">\n")?;
    let Some(report) = report else { return Ok(()) };
    to.write_all(b"            <properties>\n")?;
    for (name, value) in properties(report) {
        to.write_all(b"                <property")?;
        write_attribute("name", name, to)?;
        write_attribute("value", &value, to)?;
        to.write_all(b"/>\n")?;
    }
    to.write_all(b"            </properties>\n")
}

fn close(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(b"        </testcase>\n")
}

/// What is known of every test that was started, and what of those that did something beside.
fn properties(report: &Report) -> Vec<(&'static str, String)> {
    let apart = report.isolation.namespaces.iter().fold(String::new(), |mut text, kind| {
        let blank = if text.is_empty() { "" } else { " " };
        write!(text, "{blank}{kind}").ok();
        text
    });
    let mut properties = vec![
        ("isotest.isolation", apart),
        ("isotest.user-time", format!("{:.6}", report.usage.user.as_secs_f64())),
        ("isotest.system-time", format!("{:.6}", report.usage.system.as_secs_f64())),
        ("isotest.peak-memory", report.usage.peak_memory.to_string()),
    ];
    let beside = [
        ("isotest.left-over-processes", report.left_over.count as u64),
        ("isotest.left-over-files", report.files.count as u64),
        ("isotest.egress", report.egress.unwrap_or(0)),
    ];
    properties
        .extend(beside.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name, count.to_string())));
    properties
}

fn write_times(timestamp: SystemTime, time: Duration, to: &mut dyn Write) -> io::Result<()> {
    write_attribute("timestamp", &Moment(timestamp).to_string(), to)?;
    write_attribute("time", &seconds(time), to)
}

fn write_failure(cause: &Cause, kind: &str, to: &mut dyn Write) -> io::Result<()> {
    to.write_all(b"            <failure")?;
    write_attribute("message", &cause.headline, to)?;
    write_attribute("type", kind, to)?;
    to.write_all(b">")?;
    write_text(&cause.text, to)?;
    to.write_all(b"</failure>\n")
}

fn open_element(name: &str, times: Option<(SystemTime, Duration)>, told: &Told, to: &mut dyn Write) -> io::Result<()> {
    write!(to, "            <{name}")?;
    if let Some((timestamp, time)) = times {
        write_times(timestamp, time, to)?;
    }
    write_attribute("message", &told.message, to)?;
    write_attribute("type", &told.kind, to)?;
    to.write_all(b">")
}

/// A re-run with all that belongs to it.
fn element(names: [&str; 2], told: Told, pieces: &mut Vec<Piece>, spool: &mut Spool) -> io::Result<()> {
    let name = names[usize::from(told.mark == Mark::Error)];
    pieces.push(spool.add(|to| open_element(name, Some((told.timestamp, told.time)), &told, to))?);
    pieces.push(told.description);
    pieces.push(spool.add(|to| to.write_all(b"\n"))?);
    pieces.push(told.outputs);
    pieces.push(spool.add(|to| writeln!(to, "            </{name}>"))?);
    Ok(())
}

fn outputs(wanted: bool, attempt: &mut Attempt, spool: &mut Spool) -> io::Result<Piece> {
    spool.add(|to| {
        let streams = [("system-out", &mut attempt.stdout), ("system-err", &mut attempt.stderr)];
        for (name, stream) in streams.into_iter().filter(|_| wanted) {
            write!(to, "            <{name}>")?;
            write_bytes(&stream.excerpt(STORED)?.bytes, to)?;
            writeln!(to, "</{name}>")?;
        }
        Ok(())
    })
}
