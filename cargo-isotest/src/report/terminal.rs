//! Colours, and the terminal they are written to.

mod plain;

use std::fmt;
use std::io::{self, BufWriter, Stderr, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use isotest::runner::patiently;

use crate::cli::Color;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const COUNT: Style = Style::new().bold();
pub(crate) const NAME: Style = AnsiColor::Blue.on_default().bold();
pub(crate) const DIM: Style = AnsiColor::Cyan.on_default();

/// Text in a style; the width of a format counts the text alone.
pub(crate) struct Styled<'t>(pub(crate) Style, pub(crate) &'t str);

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

/// Standard error, with colours where they are wanted. Buffered up to the end of each text, because each piece would wake the reader.
pub(crate) struct Terminal {
    out: BufWriter<Stderr>,
    has_colours: bool,
}

impl Terminal {
    pub(crate) fn new(color: Color) -> Terminal {
        let choice = match color {
            Color::Auto => AutoStream::choice(&io::stderr()),
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Terminal { out: BufWriter::new(io::stderr()), has_colours: choice != ColorChoice::Never }
    }

    /// A reader that is gone wants nothing; the exit code still tells.
    pub(crate) fn write(&mut self, text: &[u8]) {
        self.write_all(text).and_then(|()| self.flush()).ok();
    }
}

impl Write for Terminal {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.has_colours {
            return patiently(&mut io::stderr(), |_| self.out.write(text));
        }
        let plain = plain::without_escapes(text);
        let mut rest = &*plain;
        while !rest.is_empty() {
            match patiently(&mut io::stderr(), |_| self.out.write(rest))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => rest = &rest[written..],
            }
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        patiently(&mut io::stderr(), |_| self.out.flush())
    }
}

/// Says why something could not be done.
pub(crate) fn error(message: &str) {
    let line = format!("{} {message}\n", Styled(BAD, "error:"));
    Terminal::new(Color::Auto).write(line.as_bytes());
}

/// Says what is worth knowing although all was done.
pub(crate) fn warning(message: &str) {
    let line = format!("{} {message}\n", Styled(ODD, "warning:"));
    Terminal::new(Color::Auto).write(line.as_bytes());
}

/// Says what somebody may miss.
pub(crate) fn note(message: &str) {
    let line = format!("{} {message}\n", Styled(DIM, "note:"));
    Terminal::new(Color::Auto).write(line.as_bytes());
}
