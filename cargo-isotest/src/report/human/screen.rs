//! The terminal, with or without a progress bar below what is written.
//!
//! With a bar, what is written waits for the next look (ten a second): to take the bar away and draw it again for each of ten
//! thousand tests would take longer than they do.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::named;
use crate::cli::ShowProgress;
use crate::clock::Clock;
use crate::event::{Case, Verdict};
use crate::report::Opening;
use crate::report::terminal::{BAD, GOOD, ODD, Styled, Terminal};

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// More than this is not held back.
const HELD_BACK: usize = 256 << 10;

/// Where the report is written.
pub(super) struct Screen {
    terminal: Terminal,
    bar: Option<Bar>,
    counts: bool,
}

struct Bar {
    drawn: ProgressBar,
    waiting: Vec<u8>,
    last: Instant,
    clock: Clock,
    /// With when each started.
    running: VecDeque<(String, Duration)>,
    most_running: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Screen {
    /// With what the options ask for.
    pub(super) fn new(opening: &Opening<'_, '_>) -> Screen {
        let (options, tests) = (opening.options, opening.runs());
        let how = if opening.watched { ShowProgress::None } else { options.progress() };
        let wants_bar = matches!(how, ShowProgress::Bar | ShowProgress::Only) && tests != Some(0);
        let bar = wants_bar.then(|| Bar::new(tests, options.max_progress_running));
        Screen { terminal: Terminal::new(options.color), bar, counts: how == ShowProgress::Counter }
    }

    /// Whether each line says which of how many tests it is about.
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    /// How often to look at the time.
    pub(super) fn tick(&self) -> Option<Duration> {
        self.bar.as_ref().map(|_| TICK)
    }

    /// Writes above the bar.
    pub(super) fn write(&mut self, text: &[u8]) {
        match &mut self.bar {
            Some(bar) => {
                bar.waiting.extend_from_slice(text);
                if bar.waiting.len() > HELD_BACK {
                    self.show();
                }
            }
            None => self.terminal.write(text),
        }
    }

    /// Writes above the bar what may be too much to hold back.
    pub(super) fn directly(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        self.show();
        let terminal = &mut self.terminal;
        let whole = || write(terminal).and_then(|()| terminal.flush());
        match &self.bar {
            Some(bar) => bar.drawn.suspend(whole),
            None => whole(),
        }
    }

    /// A test runs.
    pub(super) fn started(&mut self, case: Case<'_, '_>) {
        if let Some(bar) = &mut self.bar {
            bar.running.push_back((named(case), bar.clock.now()));
        }
    }

    /// It runs no longer.
    pub(super) fn ended(&mut self, case: Case<'_, '_>) {
        if let Some(bar) = &mut self.bar {
            let name = named(case);
            if let Some(at) = bar.running.iter().position(|(running, _)| *running == name) {
                bar.running.remove(at);
            }
        }
    }

    /// What it came to.
    pub(super) fn count(&mut self, verdict: Verdict) {
        if let Some(bar) = &mut self.bar {
            match verdict {
                Verdict::Passed | Verdict::Flaky => bar.passed += 1,
                Verdict::Failed => bar.failed += 1,
                Verdict::Skipped => bar.skipped += 1,
            }
        }
    }

    /// Time has passed.
    pub(super) fn refresh(&mut self) {
        if self.bar.as_ref().is_some_and(|bar| bar.last.elapsed() >= TICK) {
            self.show();
            if let Some(bar) = &mut self.bar {
                bar.draw();
            }
        }
    }

    /// The bar goes away for as long as somebody else has the terminal.
    pub(super) fn pause(&mut self) {
        self.show();
        if let Some(bar) = &mut self.bar {
            bar.clock.pause();
            bar.drawn.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    /// It comes back.
    pub(super) fn resume(&mut self) {
        if let Some(bar) = &mut self.bar {
            bar.clock.resume();
            bar.drawn = bar.drawn.clone().with_elapsed(bar.clock.now());
            bar.drawn.set_draw_target(ProgressDrawTarget::stderr());
            bar.draw();
        }
    }

    /// Takes the bar away for good.
    pub(super) fn close(&mut self) {
        self.show();
        if let Some(bar) = self.bar.take() {
            bar.drawn.finish_and_clear();
        }
    }

    fn show(&mut self) {
        if let Some(bar) = &mut self.bar
            && !bar.waiting.is_empty()
        {
            let terminal = &mut self.terminal;
            bar.drawn.suspend(|| terminal.write(&bar.waiting));
            bar.waiting.clear();
        }
    }
}

impl Bar {
    fn new(tests: Option<usize>, most_running: usize) -> Bar {
        let length = tests.map(|tests| tests as u64);
        let drawn = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        // A template is fixed text: that it is well-formed is seen the first time that a bar is drawn.
        let template = match tests {
            Some(_) => "{prefix:>12} [{elapsed_precise}] [{bar:28}] {pos}/{len}: {msg}",
            None => "{prefix:>12} [{elapsed_precise}] {pos}: {msg}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        drawn.set_style(style.progress_chars("=> "));
        drawn.set_prefix("Running");
        Bar {
            drawn,
            waiting: Vec::new(),
            last: Instant::now(),
            clock: Clock::start(),
            running: VecDeque::new(),
            most_running,
            passed: 0,
            failed: 0,
            skipped: 0,
        }
    }

    fn draw(&mut self) {
        self.last = Instant::now();
        let mut text = format!(
            "{} running, {} {}, {} {}",
            self.running.len(),
            self.passed,
            Styled(GOOD, "passed"),
            self.failed,
            Styled(BAD, "failed"),
        );
        if self.skipped > 0 {
            text.push_str(&format!(", {} {}", self.skipped, Styled(ODD, "skipped")));
        }
        // Those that have run longest are the ones to look at.
        let now = self.clock.now();
        for (name, since) in self.running.iter().take(self.most_running) {
            text.push_str(&format!("\n             [{:>8.1}s] {name}", (now - *since).as_secs_f64()));
        }
        if self.running.len() > self.most_running {
            text.push_str(&format!("\n             … and {} more", self.running.len() - self.most_running));
        }
        self.drawn.set_message(text);
        self.drawn.set_position((self.passed + self.failed + self.skipped) as u64);
        self.drawn.tick();
    }
}
