//! `cargo isotest list`: which tests are there, which of them would run, and what does each ask for?

mod json;
mod text;

use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;

use crate::cli::{Color, List, ListFormat};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::select::Selected;
use crate::{Problem, compile, select};

/// Builds, lists, prints.
pub(crate) fn list(options: &List) -> Result<Code, Problem> {
    let failed =
        |error: io::Error| Problem { message: format!("cannot watch for signals: {error}"), code: Code::ListFailed };
    let interrupt = Interrupt::watch().map_err(failed)?;
    let built = compile::build(&options.cargo, &interrupt)?;
    let selected = select::tests(&built, &options.choose, &interrupt)?;
    print(&selected, options)
        .map(|()| Code::Passed)
        .map_err(|error| Problem { message: format!("cannot print the list: {error}"), code: Code::OutputFailed })
}

fn print(selected: &Selected<'_>, options: &List) -> io::Result<()> {
    let choice = match options.color {
        Color::Auto => AutoStream::choice(&io::stdout()),
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    let human = io::stdout().is_terminal();
    let mut out = io::BufWriter::new(AutoStream::new(io::stdout(), choice));
    let printed = match options.message_format {
        ListFormat::Auto if human => text::tree(&selected.listed, options.verbose, &mut out),
        ListFormat::Human => text::tree(&selected.listed, options.verbose, &mut out),
        ListFormat::Auto | ListFormat::Oneline => text::lines(&selected.listed, &mut out),
        ListFormat::Json => json::write(&selected.listed, &mut out, false),
        ListFormat::JsonPretty => json::write(&selected.listed, &mut out, true),
    };
    match printed.and_then(|()| out.flush()) {
        // A reader that is gone, such as `head`, wants nothing more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
