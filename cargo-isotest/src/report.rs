//! What a person sees: one line a test, the output of failures, a summary. The only writer to the terminal.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use isotest::runner::Outcome;

use crate::cli::{Run, StatusLevel};
use crate::execute::Ended;
use crate::exit_code::Code;

/// The report of one run, as it grows.
pub(crate) struct Report {
    level: StatusLevel,
    started: Instant,
    total: usize,
    skipped: usize,
    passed: usize,
    failures: Vec<String>,
    cannot_isolate: usize,
}

/// Says why nothing was run.
pub(crate) fn error(message: &str) {
    write(format!("error: {message}\n").as_bytes());
}

impl Report {
    /// Opens the report.
    pub(crate) fn new(options: &Run, total: usize, binaries: usize, skipped: usize) -> Report {
        write(format!("    Starting {total} tests across {binaries} binaries\n").as_bytes());
        let level = options.status_level;
        Report { level, started: Instant::now(), total, skipped, passed: 0, failures: Vec::new(), cannot_isolate: 0 }
    }

    /// Shows that a test has ended.
    pub(crate) fn show(&mut self, ended: Ended<'_>) {
        let line = format!(
            "{:>12} [{}] {} {}\n",
            word(&ended.outcome),
            seconds(ended.took),
            ended.binary.binary.id,
            ended.test.name
        );
        if ended.outcome.passed() {
            self.passed += 1;
            if self.level >= StatusLevel::Pass {
                write(line.as_bytes());
            }
            return;
        }
        if matches!(ended.outcome, Outcome::SetupFailed(_)) {
            self.cannot_isolate += 1;
        }
        let mut text = line.clone().into_bytes();
        if self.level >= StatusLevel::Fail {
            section(&mut text, "stdout", &ended.stdout);
            section(&mut text, "stderr", &ended.stderr);
            if let Some(note) = &ended.note {
                text.extend(format!("  {note}\n").bytes());
            }
            if ended.outcome != Outcome::Failed {
                text.extend(format!("  the test {}\n", ended.outcome).bytes());
            }
            text.extend(
                format!(
                    "  re-run: cargo isotest run {} --exact {}\n\n",
                    ended.binary.binary.selection, ended.test.name
                )
                .bytes(),
            );
            write(&text);
        }
        self.failures.push(line);
    }

    /// Closes the report and says how the program ends.
    pub(crate) fn finish(self) -> Code {
        let ran = self.passed + self.failures.len();
        let not_run = self.total - ran;
        let mut text = format!(
            "------------\n     Summary [{}] {ran} tests run: {} passed, {} failed, {} skipped\n",
            seconds(self.started.elapsed()),
            self.passed,
            self.failures.len(),
            self.skipped
        );
        if not_run > 0 {
            text.push_str(&format!(
                "     {not_run} tests were not run because of the failure (--no-fail-fast runs all)\n"
            ));
        }
        text.extend(self.failures.iter().map(String::as_str));
        write(text.as_bytes());
        match () {
            () if self.cannot_isolate > 0 => Code::CannotIsolate,
            () if !self.failures.is_empty() => Code::Failed,
            () if self.total == 0 => {
                error("no tests to run");
                Code::NoTests
            }
            () => Code::Passed,
        }
    }
}

fn section(text: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    text.extend(format!("  {name} ---\n").bytes());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        text.extend(b"    ");
        text.extend(line);
    }
    if !bytes.ends_with(b"\n") {
        text.push(b'\n');
    }
}

/// nextest's status words.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "PASS",
        Outcome::Signalled(_) => "SIGNAL",
        Outcome::TimedOut => "TIMEOUT",
        Outcome::ExitedEarly(_) => "EXIT",
        Outcome::Killed => "KILLED",
        Outcome::SetupFailed(_) => "SETUP",
        _ => "FAIL",
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:>8.3}s", duration.as_secs_f64())
}

fn write(text: &[u8]) {
    // A terminal that is gone wants nothing; the exit code still tells.
    io::stderr().lock().write_all(text).ok();
}
