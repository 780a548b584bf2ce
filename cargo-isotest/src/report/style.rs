//! Colours and status words, and the terminal they are written to.

use std::fmt;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use isotest::runner::Outcome;

use crate::cli::Color;

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const ODD: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const COUNT: Style = Style::new().bold();
pub(super) const NAME: Style = AnsiColor::Blue.on_default().bold();
pub(super) const DIM: Style = AnsiColor::Cyan.on_default();

/// Text in a style; the width of a format counts the text alone.
pub(super) struct Styled<'t>(pub(super) Style, pub(super) &'t str);

impl fmt::Display for Styled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blanks = f.width().unwrap_or(0).saturating_sub(self.1.chars().count());
        let Styled(style, text) = self;
        if text.is_empty() {
            return Ok(());
        }
        write!(f, "{:blanks$}{style}{text}{style:#}", "")
    }
}

/// nextest's status words, and ours for what it does not know.
pub(super) fn word(outcome: &Outcome) -> (Style, &'static str) {
    match outcome {
        Outcome::Passed => (GOOD, "PASS"),
        Outcome::Signalled(_) => (BAD, "SIGNAL"),
        Outcome::TimedOut => (BAD, "TIMEOUT"),
        Outcome::ExitedEarly(_) => (BAD, "EXIT"),
        Outcome::Killed | Outcome::ServerKilled => (BAD, "KILLED"),
        Outcome::SetupFailed(_) => (BAD, "SETUP"),
        Outcome::Skipped(_) => (ODD, "SKIP"),
        _ => (BAD, "FAIL"),
    }
}

/// Standard error, with colours where they are wanted.
pub(super) struct Terminal(AutoStream<io::Stderr>);

impl Terminal {
    pub(super) fn new(color: Color) -> Terminal {
        let choice = match color {
            Color::Auto => AutoStream::choice(&io::stderr()),
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Terminal(AutoStream::new(io::stderr(), choice))
    }

    /// A reader that is gone wants nothing; the exit code still tells.
    pub(super) fn write(&mut self, text: &[u8]) {
        self.0.write_all(text).ok();
    }
}

impl Write for Terminal {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
