//! The list for people.

use std::io::{self, Write};

use crate::list::{Listed, Test};
use crate::report::terminal::{COUNT, DIM, NAME, Styled};

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
            writeln!(out, "  {} {}", Styled(DIM, "directory:"), ready.binary.directory.display())?;
        }
        for test in own {
            writeln!(out, "    {}", Styled(NAME, &test.name))?;
            if verbose {
                write!(out, "{}", spec(test))?;
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

/// What a test asks for, a key a line, as the configuration spells it.
fn spec(test: &Test) -> String {
    let value = serde_json::to_value(&test.spec).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("        {} {value}\n", Styled(DIM, &format!("{name}:")))).collect()
}
