//! The list for people.

use std::io::{self, Write};

use crate::compile::Runner;
use crate::config::{Row, SpecPatch};
use crate::list::{Listed, Test};
use crate::report::terminal::{COUNT, DIM, NAME, Styled};
use crate::show_config;

/// Binaries, each with its tests below.
pub(super) fn tree(listed: &Listed<'_>, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for (at, ready) in listed.binaries.iter().enumerate() {
        let mut own = listed.tests.iter().filter(|test| test.binary == at).peekable();
        if own.peek().is_none() && !verbose {
            continue;
        }
        writeln!(out, "{}:", Styled(COUNT, &ready.binary.id))?;
        if verbose {
            writeln!(out, "  {} {}", Styled(DIM, "binary:"), ready.binary.executable.display())?;
            if let Some(Runner { program, arguments }) = &ready.binary.runner {
                writeln!(out, "  {} {} {}", Styled(DIM, "run by:"), program.display(), arguments.join(" "))?;
            }
            writeln!(out, "  {} {}", Styled(DIM, "directory:"), ready.binary.directory.display())?;
        }
        for test in own {
            writeln!(out, "    {}", Styled(NAME, &test.name))?;
            if verbose {
                show_config::write_rows(out, &rows(test))?;
            }
        }
        for test in listed.skipped.iter().filter(|test| verbose && test.binary == at) {
            writeln!(out, "    {} {}", test.name, Styled(DIM, "(left out)"))?;
        }
    }
    Ok(())
}

/// One test a line.
pub(super) fn lines(listed: &Listed<'_>, out: &mut dyn Write) -> io::Result<()> {
    for test in &listed.tests {
        writeln!(out, "{} {}", listed.binaries[test.binary].binary.id, test.name)?;
    }
    Ok(())
}

/// All that holds for a test: what its attribute says, and what is configured.
fn rows(test: &Test) -> Vec<Row> {
    let mut rows = test.settings.rows();
    rows.retain(|row| !row.key.starts_with("spec."));
    rows.extend(SpecPatch::rows_of(&test.spec, &test.settings.spec, &test.written, test.wrapped));
    rows
}
