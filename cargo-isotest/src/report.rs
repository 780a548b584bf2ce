//! What a person sees: one line a test, the output of failures, a summary. The only writer to the terminal.

mod style;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use isotest::runner::{Failure, Isolation, Outcome, Unavailable, explain};

use crate::binary::Ready;
use crate::cli::{Run, StatusLevel};
use crate::execute::Event;
use crate::exit_code::Code;
use crate::list::{Listed, Test};
use crate::running::{Ended, Stream};
use style::{BAD, COUNT, DIM, GOOD, NAME, ODD, Styled, word};

/// The report of one run, as it grows.
pub(crate) struct Report {
    level: StatusLevel,
    terminal: style::Terminal,
    unavailable: Unavailable,
    started: Instant,
    total: usize,
    skipped: usize,
    passed: usize,
    failures: Vec<String>,
    interrupted: Vec<String>,
    not_isolated: usize,
    cannot_isolate: usize,
}

/// Says why nothing was run.
pub(crate) fn error(message: &str) {
    let line = format!("{} {message}\n", Styled(BAD, "error:"));
    style::Terminal::new(crate::cli::Color::Auto).write(line.as_bytes());
}

impl Report {
    /// Opens the report.
    pub(crate) fn new(options: &Run, listed: &Listed<'_>, unavailable: Unavailable) -> Report {
        let mut report = Report {
            level: options.status_level,
            terminal: style::Terminal::new(options.color),
            unavailable,
            started: Instant::now(),
            total: listed.tests.len(),
            skipped: listed.skipped.len(),
            passed: 0,
            failures: Vec::new(),
            interrupted: Vec::new(),
            not_isolated: 0,
            cannot_isolate: 0,
        };
        let opening = format!(
            "{:>12} {} across {}{}\n",
            Styled(GOOD, "Starting"),
            count(listed.tests.len(), ["test", "tests"]),
            count(listed.binaries.len(), ["binary", "binaries"]),
            if listed.skipped.is_empty() { String::new() } else { format!(" ({} skipped)", listed.skipped.len()) }
        );
        report.terminal.write(opening.as_bytes());
        if report.level >= StatusLevel::Skip {
            for test in &listed.skipped {
                let line =
                    format!("{:>12} [         ] {}\n", Styled(ODD, "SKIP"), named(test, &listed.binaries[test.binary]));
                report.terminal.write(line.as_bytes());
            }
        }
        report
    }

    /// Shows what happened.
    pub(crate) fn show(&mut self, event: Event<'_, '_>) {
        match event {
            Event::Ended(test, ready, ended) => self.ended(test, ready, *ended),
            Event::Output(Stream::Out, piece) => {
                // A reader that is gone wants nothing; the exit code still tells.
                io::stdout().write_all(&piece).and_then(|()| io::stdout().flush()).ok();
            }
            Event::Output(Stream::Err, piece) => self.terminal.write(&piece),
            Event::Stopping(signal) => {
                self.terminal.write(format!("{:>12} at once: {signal}\n", Styled(BAD, "Stopping")).as_bytes());
            }
            Event::Interrupted(test, ready) => {
                let line = format!("{:>12} [         ] {}\n", Styled(BAD, "STOPPED"), named(test, ready));
                if self.level >= StatusLevel::Fail {
                    self.terminal.write(line.as_bytes());
                }
                self.interrupted.push(line);
            }
        }
    }

    fn ended(&mut self, test: &Test, ready: &Ready<'_>, mut ended: Ended) {
        let (style, status) = word(&ended.outcome);
        let line = format!("{:>12} [{}] {}\n", Styled(style, status), seconds(ended.took), named(test, ready));
        self.not_isolated += usize::from(ended.isolation == Isolation::None);
        match &ended.outcome {
            Outcome::Passed => {
                self.passed += 1;
                self.line(StatusLevel::Pass, &line);
            }
            Outcome::Skipped(_) => {
                self.skipped += 1;
                self.total -= 1;
                self.not_isolated += 1;
                self.line(StatusLevel::Skip, &line);
            }
            outcome => {
                self.line(StatusLevel::Fail, &line);
                if let Outcome::SetupFailed(failure) = outcome {
                    self.explain_once(test, failure);
                }
                if self.level >= StatusLevel::Fail {
                    self.details(test, ready, &mut ended);
                }
                self.failures.push(line);
            }
        }
    }

    fn line(&mut self, level: StatusLevel, line: &str) {
        if self.level >= level {
            self.terminal.write(line.as_bytes());
        }
    }

    /// One cause, one report: a suite of a thousand tests says it once.
    fn explain_once(&mut self, test: &Test, failure: &Failure) {
        self.cannot_isolate += 1;
        if self.cannot_isolate == 1 {
            self.terminal.write(format!("\n{}\n", explain(&test.name, failure)).as_bytes());
        }
    }

    fn details(&mut self, test: &Test, ready: &Ready<'_>, ended: &mut Ended) {
        let re_run = format!("cargo isotest run {} --exact {}", ready.binary.selection, quoted(&test.name));
        let terminal = &mut self.terminal;
        for (name, stream) in [("stdout", &mut ended.stdout), ("stderr", &mut ended.stderr)] {
            if !stream.is_empty() {
                terminal.write(format!("  {}\n", Styled(BAD, &format!("{name} ───"))).as_bytes());
                if let Err(error) = stream.write_indented("    ", terminal) {
                    terminal.write(format!("  (the rest can't be read: {error})\n").as_bytes());
                }
            }
        }
        let mut notes = String::new();
        notes.extend(ended.note.iter().flat_map(|note| note.lines()).map(|line| format!("  {}\n", line.trim_start())));
        if ended.outcome != Outcome::Failed {
            notes.push_str(&format!("  the test {}\n", ended.outcome));
        }
        notes.push_str(&format!("  {} {re_run}\n\n", Styled(DIM, "re-run:")));
        terminal.write(notes.as_bytes());
    }

    /// Closes the report and says how the program ends.
    pub(crate) fn finish(mut self) -> Code {
        let ran = self.passed + self.failures.len();
        let not_run = self.total - ran - self.interrupted.len();
        let mut text = format!(
            "{}\n{:>12} [{}] {} run: {} {}, {} {}, {} {}\n",
            Styled(DIM, "────────────"),
            Styled(if self.failures.is_empty() { GOOD } else { BAD }, "Summary"),
            seconds(self.started.elapsed()),
            count(ran, ["test", "tests"]),
            Styled(COUNT, &self.passed.to_string()),
            Styled(GOOD, "passed"),
            Styled(COUNT, &self.failures.len().to_string()),
            Styled(BAD, "failed"),
            Styled(COUNT, &self.skipped.to_string()),
            Styled(ODD, "skipped"),
        );
        if self.not_isolated > 0 {
            let what = match self.unavailable {
                Unavailable::Skip => "skipped (ISOTEST_UNAVAILABLE=skip)",
                _ => "run without a sandbox (ISOTEST_UNAVAILABLE=run)",
            };
            text.push_str(&format!("             {} not isolated: {what}\n", were(self.not_isolated)));
        }
        if not_run > 0 {
            let why = if self.interrupted.is_empty() {
                "because of the failure (--no-fail-fast runs all)"
            } else {
                "because a signal stopped everything"
            };
            text.push_str(&format!("             {} not run {why}\n", were(not_run)));
        }
        text.extend(self.failures.iter().chain(&self.interrupted).map(String::as_str));
        self.terminal.write(text.as_bytes());
        match () {
            () if self.cannot_isolate > 0 => Code::CannotIsolate,
            () if !self.failures.is_empty() || not_run > 0 || !self.interrupted.is_empty() => Code::Failed,
            () if self.total == 0 && self.not_isolated == 0 => {
                error("no tests to run");
                Code::NoTests
            }
            () => Code::Passed,
        }
    }
}

fn named(test: &Test, ready: &Ready<'_>) -> String {
    let (modules, function) =
        test.name.rsplit_once("::").map_or(("", &test.name[..]), |(modules, function)| (modules, function));
    let separator = if modules.is_empty() { "" } else { "::" };
    format!("{} {}{separator}{}", Styled(COUNT, &ready.binary.id), Styled(DIM, modules), Styled(NAME, function))
}

fn count(number: usize, [one, many]: [&str; 2]) -> String {
    format!("{} {}", Styled(COUNT, &number.to_string()), if number == 1 { one } else { many })
}

/// As a shell needs it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-:./".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

fn were(number: usize) -> String {
    if number == 1 { "1 test was".to_owned() } else { format!("{number} tests were") }
}

fn seconds(duration: Duration) -> String {
    format!("{:>8.3}s", duration.as_secs_f64())
}
