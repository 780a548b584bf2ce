//! What is said at the end: the numbers, and once more whatever must not be missed.

use std::collections::BTreeMap;
use std::io;

use super::lines::{count, line, named, seconds, were};
use super::screen::Screen;
use super::status::Status;
use super::{Finished, Summary, Verdict, details};
use crate::config::FinalStatusLevel;
use crate::event::{Case, Why};
use crate::report::spool::{Piece, Spool};
use crate::report::terminal::{BAD, COUNT, DIM, GOOD, ODD, Styled};
use isotest::runner::Unavailable;

/// Remembers it.
pub(super) struct Ending {
    /// Lines to show again, the least important first.
    again: BTreeMap<FinalStatusLevel, Vec<String>>,
    /// Output to show, line by line of [`Ending::again`]'s tests.
    outputs: Vec<Output>,
    spool: Spool,
    stopped: Vec<String>,
    margin: &'static str,
    /// Under stress: each test by name, how many of its copies ran and failed.
    stress: Option<BTreeMap<String, (usize, usize)>>,
}

struct Output {
    line: String,
    kept: io::Result<Piece>,
}

impl Ending {
    pub(super) fn new(stress: bool, margin: &'static str) -> Ending {
        Ending {
            again: BTreeMap::new(),
            outputs: Vec::new(),
            spool: Spool::new(),
            stopped: Vec::new(),
            margin,
            stress: stress.then(BTreeMap::new),
        }
    }

    /// Whether the output of this test is to be shown: of copies that fail, only the first one's.
    pub(super) fn wants_output(&self, case: Case<'_, '_>, failed: bool) -> bool {
        let Some(stress) = &self.stress else { return true };
        !failed || stress.get(&stress_name(case)).is_none_or(|(_, failed)| *failed == 0)
    }

    /// A test has ended.
    pub(super) fn remember(
        &mut self,
        case: Case<'_, '_>,
        finished: &mut Finished,
        status: &Status,
        level: FinalStatusLevel,
        with_output: bool,
    ) {
        let verdict = finished.verdict();
        if let Some(stress) = &mut self.stress {
            let (ran, failed) = stress.entry(stress_name(case)).or_default();
            *ran += 1;
            *failed += usize::from(verdict == Verdict::Failed);
            if *failed > 1 || verdict != Verdict::Failed {
                return;
            }
        }
        let (attempts, attempts_at_most) = (finished.attempts.len(), case.test.settings.retries.value.count + 1);
        let (word, style, own) = match verdict {
            Verdict::Flaky => (format!("FLAKY {attempts}/{attempts_at_most}"), ODD, FinalStatusLevel::Flaky),
            Verdict::Failed if finished.last().outcome.passed() => {
                (format!("FLKY-FL {attempts}/{attempts_at_most}"), BAD, FinalStatusLevel::Fail)
            }
            _ if attempts > 1 => (format!("TRY {attempts} {}", status.word), status.style, status.final_level),
            Verdict::Passed if finished.last().slow && !finished.last().ended_late_and_well => {
                let also = if status.word == "PASS" { String::new() } else { format!(" + {}", status.word) };
                (format!("SLOW{also}"), ODD, status.final_level)
            }
            _ => (status.word.to_string(), status.style, status.final_level),
        };
        let last = finished.last_mut();
        let line = line(&Styled(style, &word), &seconds(last.took), "", case);
        if with_output {
            let kept = self.spool.add(|to| details::write(case, last, self.margin, to));
            self.outputs.push(Output { line: line.clone(), kept });
        }
        if level >= own {
            self.again.entry(own).or_default().push(line);
        }
    }

    /// A test was left out.
    pub(super) fn skipped(&mut self, line: String, level: FinalStatusLevel) {
        if level >= FinalStatusLevel::Skip {
            self.again.entry(FinalStatusLevel::Skip).or_default().push(line);
        }
    }

    /// A test was running when everything was stopped.
    pub(super) fn stopped(&mut self, line: String) {
        self.stopped.push(line);
    }

    /// Writes it.
    pub(super) fn write(&mut self, summary: &Summary, screen: &mut Screen) {
        for Output { line, kept } in std::mem::take(&mut self.outputs) {
            screen.write(line.as_bytes());
            if let Err(error) = kept.and_then(|kept| screen.directly(|to| self.spool.copy(kept, to))) {
                screen.write(format!("  (the rest can't be read: {error})\n").as_bytes());
            }
        }
        let mut text = format!("{}\n", Styled(DIM, "────────────"));
        text.push_str(&numbers(summary));
        text.push_str(&remarks(summary));
        text.extend(self.stress.iter().flatten().map(|(name, (ran, failed))| stress_line(name, *ran, *failed)));
        text.extend(self.again.values().rev().flatten().map(String::as_str));
        text.extend(self.stopped.iter().map(String::as_str));
        screen.write(text.as_bytes());
    }
}

fn stress_name(case: Case<'_, '_>) -> String {
    named(Case { copy: None, ..case })
}

fn stress_line(name: &str, ran: usize, failed: usize) -> String {
    let passed = ran - failed;
    let style = if failed == 0 { GOOD } else { BAD };
    let rate = 100.0 * passed as f64 / ran.max(1) as f64;
    format!("{:>12} {passed}/{ran} passed ({rate:.2} %) {name}\n", Styled(style, "STRESS"))
}

fn numbers(summary: &Summary) -> String {
    let well = summary.failed + summary.stopped + summary.not_run() == 0;
    let part = |number: usize, style, word| {
        (number > 0).then(|| format!("{} {}", Styled(COUNT, &number.to_string()), Styled(style, word)))
    };
    let of = |parts: &[Option<String>]| {
        let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    };
    let of_passed = of(&[
        part(summary.slow, ODD, "slow"),
        part(summary.ended_late_and_well, ODD, "timed out"),
        part(summary.flaky, ODD, "flaky"),
        part(summary.leaky, ODD, "leaky"),
        part(summary.tried_to_leave, ODD, "tried to leave"),
    ]);
    let of_failed = of(&[part(summary.timed_out, BAD, "timed out"), part(summary.crashed, BAD, "crashed")]);
    let ran = summary.ran();
    let of_all = if summary.not_run() > 0 || summary.stopped > 0 {
        format!("{}/{}", Styled(COUNT, &ran.to_string()), count(summary.to_run, ["test", "tests"]))
    } else {
        count(ran, ["test", "tests"])
    };
    format!(
        "{:>12} [{}] {of_all} run: {} {}{of_passed}, {} {}{of_failed}, {} {}\n",
        Styled(if well { GOOD } else { BAD }, "Summary"),
        seconds(summary.took),
        Styled(COUNT, &summary.passed.to_string()),
        Styled(GOOD, "passed"),
        Styled(COUNT, &summary.failed.to_string()),
        Styled(BAD, "failed"),
        Styled(COUNT, &summary.skipped.to_string()),
        Styled(ODD, "skipped"),
    )
}

fn remarks(summary: &Summary) -> String {
    let mut text = String::new();
    if summary.not_isolated > 0 {
        let what = match summary.unavailable {
            Unavailable::Skip => "skipped (ISOTEST_UNAVAILABLE=skip)",
            _ => "run without a sandbox (ISOTEST_UNAVAILABLE=run)",
        };
        text.push_str(&format!("             {} not isolated: {what}\n", were(summary.not_isolated)));
    }
    if summary.wanted_no_sandbox > 0 {
        let were = were(summary.wanted_no_sandbox);
        text.push_str(&format!("             {were} run without a sandbox, as configured (isolation = false)\n"));
    }
    if summary.not_run() > 0 {
        let why = match summary.why_stopped {
            Some(Why::Signal(_)) => "because a signal stopped everything",
            Some(Why::GlobalTimeout) => "because the run's own time was up",
            Some(Why::Failures) | None => "because of the failure (--no-fail-fast runs all)",
        };
        text.push_str(&format!("             {} not run {why}\n", were(summary.not_run())));
    }
    text
}
