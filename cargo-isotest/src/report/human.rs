//! What a person sees: one line a test, the output of failures, a summary.

mod details;
mod ending;
mod lines;
mod screen;
mod status;

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use isotest::runner::{Failure, Outcome, explain};

use super::{Opening, Reporter, Summary};
use crate::cli::{MessageFormat, StatusLevel};
use crate::config::FinalStatusLevel;
use crate::event::{Attempt, Case, CutShort, Event, Finished, Glimpse, Slowness, Stream, Verdict, Why};
use crate::list::Listed;
use crate::report::terminal::{BAD, COUNT, DIM, GOOD, ODD, Styled};
pub(crate) use details::quoted;
use ending::Ending;
use lines::{Counter, line, named, seconds};
use screen::Screen;
use status::Status;

/// The report for people, as it grows.
pub(crate) struct Human {
    level: StatusLevel,
    final_level: FinalStatusLevel,
    verbose: bool,
    margin: &'static str,
    screen: Screen,
    counter: Counter,
    ending: Ending,
    explained: bool,
    /// Whether each test is named when it starts.
    announces: bool,
    /// Whether no program reads standard output.
    stdout_is_free: bool,
}

impl Human {
    /// Opens the report.
    pub(super) fn new(opening: &Opening<'_, '_>) -> Human {
        let Opening { listed, options, run, .. } = opening;
        let mut screen = Screen::new(opening);
        let margin = details::margin(options);
        let mut human = Human {
            level: run.status_level.value,
            final_level: run.final_status_level.value,
            verbose: options.verbose,
            margin,
            counter: Counter::new(opening.runs().unwrap_or(0), screen.counts()),
            ending: Ending::new(opening.is_stress(), margin),
            explained: false,
            announces: opening.live && !opening.watched && run.status_level.value > StatusLevel::None,
            stdout_is_free: options.message_format == MessageFormat::Human,
            screen: {
                screen.write(first_line(listed).as_bytes());
                screen
            },
        };
        if let Some(seed) = opening.seed {
            human.write(&format!(
                "{:>12} with seed {seed} (--shuffle={seed} gives this order again)\n",
                Styled(GOOD, "Shuffled")
            ));
        }
        human.skipped(listed);
        human
    }

    fn skipped(&mut self, listed: &Listed<'_>) {
        if self.level < StatusLevel::Skip && self.final_level < FinalStatusLevel::Skip {
            return;
        }
        for test in &listed.skipped {
            let case = Case { test, ready: &listed.binaries[test.binary], copy: None };
            let line = format!("{:>12} [         ] {}\n", Styled(ODD, "SKIP"), named(case));
            if self.level >= StatusLevel::Skip {
                self.write(&line);
            }
            self.ending.skipped(line, self.final_level);
        }
    }

    /// How often to hear that time has passed.
    pub(super) fn tick(&self) -> Option<Duration> {
        self.screen.tick()
    }

    fn write(&mut self, text: &str) {
        self.screen.write(text.as_bytes());
    }

    /// Says whose output will come, where it is shown as it comes.
    fn started(&mut self, case: Case<'_, '_>) {
        self.screen.started(case);
        if self.announces {
            self.write(&line(&Styled(GOOD, "START"), "         ", &self.counter.blank(), case));
        }
    }

    fn slow(&mut self, case: Case<'_, '_>, slowness: Slowness) {
        if self.level >= StatusLevel::Slow {
            let word = if slowness.terminating { (BAD, "TERMINATING") } else { (ODD, "SLOW") };
            self.write(&line(&Styled(word.0, word.1), &format!(">{}", seconds(slowness.elapsed)), "", case));
        }
    }

    fn retrying(&mut self, case: Case<'_, '_>, attempt: &mut Attempt, delay: Duration) {
        if self.level < StatusLevel::Retry {
            return;
        }
        let status = Status::of_attempt(attempt);
        let word = format!("TRY {} {}", attempt.number, status.word);
        self.write(&line(&Styled(status.style, &word), &seconds(attempt.took), &self.counter.blank(), case));
        self.write(&lines::notes(attempt));
        if case.test.settings.failure_output.value.is_immediate() {
            self.details(case, attempt);
        }
        if !delay.is_zero() {
            let text = format!("{:>12} {} {}\n", Styled(ODD, "DELAY"), seconds(delay), named(case));
            self.write(&text);
        }
    }

    fn ended(&mut self, case: Case<'_, '_>, finished: &mut Finished) {
        let verdict = finished.verdict();
        let attempts = finished.attempts.len();
        let last = finished.last_mut();
        let status = Status::of_attempt(last).in_view_of(verdict);
        let position = self.counter.next();
        let word = if attempts > 1 { format!("TRY {attempts} {}", status.word) } else { status.word.to_string() };
        if self.level >= status.level {
            self.write(&line(&Styled(status.style, &word), &seconds(last.took), &position, case));
            if self.verbose {
                self.write(&lines::usage(last));
            }
        }
        let failed = verdict == Verdict::Failed;
        if let (true, Outcome::SetupFailed(failure)) = (failed, &last.outcome) {
            self.explain_once(case, failure);
        }
        let settings = &case.test.settings;
        let when = if failed { settings.failure_output.value } else { settings.success_output.value };
        let shown_at_once = when.is_immediate() && self.level >= status.level;
        if self.level >= status.level {
            self.write(&lines::notes(last));
        }
        if shown_at_once && verdict != Verdict::Skipped && self.ending.wants_output(case, failed) {
            self.details(case, last);
        }
        self.ending.remember(case, finished, &status, self.final_level, when.is_final());
    }

    /// One cause, one report: a suite of a thousand tests says it once.
    fn explain_once(&mut self, case: Case<'_, '_>, failure: &Failure) {
        if !std::mem::replace(&mut self.explained, true) {
            self.write(&format!("\n{}\n", explain(&case.test.name, failure)));
        }
    }

    fn details(&mut self, case: Case<'_, '_>, attempt: &mut Attempt) {
        details::show(case, attempt, self.margin, &mut self.screen);
    }

    /// Somebody has asked what runs.
    fn glimpses(&mut self, glimpses: &[Glimpse<'_, '_>]) {
        let running = lines::count(glimpses.len(), ["test runs", "tests run"]);
        self.write(&format!("{:>12} {running}, {} ended\n", Styled(DIM, "Info"), self.counter.ended()));
        for glimpse in glimpses {
            self.write(&line(&Styled(DIM, "RUNNING"), &seconds(glimpse.elapsed), "", glimpse.case));
            let most = glimpse.case.test.settings.retries.value.count + 1;
            if most > 1 {
                self.write(&format!("             attempt {} of {most}\n", glimpse.attempt));
            }
            let mut text = Vec::new();
            // Writing to memory can't fail.
            details::write_glimpse(glimpse, self.margin, &mut text).ok();
            self.screen.write(&text);
        }
    }

    fn stopping(&mut self, why: Why) {
        let text = match why {
            Why::Signal(signal) => format!("{:>12} at once: {signal}\n", Styled(BAD, "Stopping")),
            Why::Failures => format!("{:>12} at once: too many tests have failed\n", Styled(BAD, "Stopping")),
            Why::GlobalTimeout => format!("{:>12} at once: the run's own time is up\n", Styled(BAD, "Stopping")),
        };
        self.write(&text);
    }

    fn stopped(&mut self, case: Case<'_, '_>, cut_short: CutShort) {
        let line = line(&Styled(BAD, "STOPPED"), &seconds(cut_short.elapsed), "", case);
        if self.level >= StatusLevel::Fail {
            self.write(&line);
        }
        self.ending.stopped(line);
    }
}

impl Reporter for Human {
    fn tell(&mut self, event: &mut Event<'_, '_>) {
        match event {
            Event::Started(case, _) => self.started(*case),
            Event::Slow(case, slowness) => self.slow(*case, *slowness),
            Event::Retrying(case, attempt, delay) => {
                self.screen.ended(*case);
                self.retrying(*case, attempt, *delay);
            }
            Event::Ended(case, finished) => {
                self.screen.ended(*case);
                self.screen.count(finished.verdict());
                self.ended(*case, finished);
            }
            Event::Stopped(case, cut_short) => {
                self.screen.ended(*case);
                self.stopped(*case, *cut_short);
            }
            Event::Output(Stream::Out, piece) if self.stdout_is_free => {
                // A reader that is gone wants nothing; the exit code still tells.
                isotest::runner::write_all(&mut io::stdout().lock(), piece).ok();
            }
            Event::Output(_, piece) => self.screen.write(piece),
            Event::Asked(glimpses) => self.glimpses(glimpses),
            Event::Stopping(why) => self.stopping(*why),
            Event::Paused => self.screen.pause(),
            Event::Resumed => self.screen.resume(),
            Event::Tick => self.screen.refresh(),
        }
    }

    fn finish(&mut self, summary: &Summary) -> Result<(), String> {
        self.screen.close();
        self.ending.write(summary, &mut self.screen);
        Ok(())
    }
}

fn first_line(listed: &Listed<'_>) -> String {
    let binaries: BTreeSet<_> = listed.tests.iter().map(|test| test.binary).collect();
    let skipped = match listed.skipped.len() {
        0 => String::new(),
        skipped => format!(" ({} skipped)", Styled(COUNT, &skipped.to_string())),
    };
    format!(
        "{:>12} {} across {}{skipped}\n",
        Styled(GOOD, "Starting"),
        lines::count(listed.tests.len(), ["test", "tests"]),
        lines::count(binaries.len(), ["binary", "binaries"]),
    )
}
