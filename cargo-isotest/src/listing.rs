//! `cargo isotest list`: which tests are there, which of them would run, and what does each ask for?

mod json;
mod text;

use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;

use crate::Problem;
use crate::cli::{Color, List, ListFormat};
use crate::config::{Layer, RunLayer};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::Listed;
use crate::suite::{Suite, Wanted};
use json::Layout;

/// Builds, lists, prints.
pub(crate) fn list(options: &List) -> Result<Code, Problem> {
    let List { choose, configuration, reuse, cargo, .. } = options;
    let interrupt = Interrupt::watch()?;
    let suite = Suite::build(Wanted { choose, configuration, reuse, cargo }, &interrupt)?;
    let profile = suite.profile((RunLayer::default(), Layer::default()))?;
    let listed = suite.tests(&profile, &interrupt)?.listed;
    print(&listed, options)
        .map(|()| Code::Passed)
        .map_err(|error| Problem { message: format!("cannot print the list: {error}"), code: Code::OutputFailed })
}

fn print(listed: &Listed<'_>, options: &List) -> io::Result<()> {
    let choice = match options.color {
        Color::Auto => AutoStream::choice(&io::stdout()),
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    let human = options.verbose || io::stdout().is_terminal();
    let mut out = io::BufWriter::new(AutoStream::new(io::stdout(), choice));
    let printed = match options.message_format {
        ListFormat::Auto if human => text::tree(listed, options.verbose, &mut out),
        ListFormat::Human => text::tree(listed, options.verbose, &mut out),
        ListFormat::Auto | ListFormat::Oneline => text::lines(listed, &mut out),
        ListFormat::Json => json::write(listed, Layout::OnOneLine, &mut out),
        ListFormat::JsonPretty => json::write(listed, Layout::Indented, &mut out),
    };
    match printed.and_then(|()| out.flush()) {
        // A reader that is gone, such as `head`, wants nothing more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
