//! `cargo isotest list`: which tests are there, which of them would run, and what does each ask for?

mod json;
mod text;

use std::io::{self, IsTerminal, Write};

use anstream::AutoStream;

use crate::cli::{Color, List, ListFormat};
use crate::config::{Layer, RunLayer};
use crate::configure::{Configured, Typed};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::Listed;
use crate::select::Request;
use crate::source::Source;
use crate::{Problem, select};

/// Builds, lists, prints.
pub(crate) fn list(options: &List) -> Result<Code, Problem> {
    let failed =
        |error: io::Error| Problem { message: format!("cannot watch for signals: {error}"), code: Code::ListFailed };
    let interrupt = Interrupt::watch().map_err(failed)?;
    let List { choose, configuration, reuse, cargo, .. } = options;
    let names = choose.names().map_err(|message| Problem { message, code: Code::WrongOptions })?;
    let mut source = Source::begin(cargo, reuse, &interrupt)?;
    let configured = Configured::read(&Typed { configuration, choose, cargo }, &mut source, &interrupt)?;
    let built = source.finish(&interrupt)?;
    let profile = configured.profile(&built.host_or_target, (RunLayer::default(), Layer::default()))?;
    let record = select::record(&built.reports);
    let timings = select::timings(choose)?;
    let request = Request {
        options: choose,
        names: &names,
        configured: &configured,
        profile: &profile,
        record: &record,
        timings: timings.as_ref(),
    };
    let listed = select::tests(&built, &request, &interrupt)?;
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
        ListFormat::Json => json::write(listed, &mut out, false),
        ListFormat::JsonPretty => json::write(listed, &mut out, true),
    };
    match printed.and_then(|()| out.flush()) {
        // A reader that is gone, such as `head`, wants nothing more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
