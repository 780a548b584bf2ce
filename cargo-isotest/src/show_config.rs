//! `cargo isotest show-config`: what is configured, and who said so?

use std::io::{self, Write};

use crate::cli::{Choose, ShowConfig};
use crate::config::{Layer, Profile, RunLayer};
use crate::configure::{Configured, Typed};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::{Problem, compile};

/// Reads and prints it; nothing is built.
pub(crate) fn show(options: &ShowConfig) -> Result<Code, Problem> {
    let interrupt = Interrupt::watch()?;
    let choose = Choose::default();
    let typed = Typed { configuration: &options.configuration, choose: &choose, cargo: &options.cargo };
    let (workspace, triple) = compile::workspace(&options.cargo, &interrupt)?;
    let configured = Configured::of(&typed, &workspace, &interrupt)?;
    let profile = configured.profile(&triple, (RunLayer::default(), Layer::default()))?;
    match print(&profile) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem { message: format!("cannot print the configuration: {error}"), code: Code::OutputFailed })
        }
        _ => Ok(Code::Passed),
    }
}

fn print(profile: &Profile<'_>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout());
    writeln!(out, "[profile.{}]", profile.name)?;
    write_rows(&mut out, &profile.rows())?;
    writeln!(out, "\n# of every test that no override means:")?;
    write_rows(&mut out, &profile.settings_of_the_others().rows())?;
    for (who, which) in profile.overrides() {
        writeln!(out, "\n# {who} changes some of that for: {which}")?;
    }
    for (name, most) in profile.groups {
        writeln!(out, "\n[test-groups.{name}]\nmax-threads = {}", crate::config::threads(most))?;
    }
    out.flush()
}

/// One setting a line, as the configuration has it, and who said so in a comment.
pub(crate) fn write_rows(out: &mut dyn Write, rows: &[crate::config::Row]) -> io::Result<()> {
    let width = rows.iter().map(|row| row.key.len() + row.value.len() + 3).max().unwrap_or(0);
    for row in rows {
        writeln!(out, "{:width$}  # {}", format!("{} = {}", row.key, row.value), row.source)?;
    }
    Ok(())
}
