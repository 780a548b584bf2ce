//! What a test wrote, why it failed, and how to run it again.

use std::io::{self, Write};

use isotest::runner::Outcome;

use super::screen::Screen;
use crate::cli::Reporting;
use crate::event::{Attempt, Case, Glimpse};
use crate::report::terminal::{BAD, DIM, GOOD, Styled};

/// What stands before each line that a test wrote, unless its output is wanted as it is.
pub(super) fn margin(options: &Reporting) -> &'static str {
    if options.no_output_indent { "" } else { "    " }
}

/// Shows all of it.
pub(super) fn show(case: Case<'_, '_>, attempt: &mut Attempt, margin: &str, screen: &mut Screen) {
    if let Err(error) = screen.directly(|to| write(case, attempt, margin, to)) {
        screen.write(format!("  (the rest can't be read: {error})\n\n").as_bytes());
    }
}

/// Writes all of it.
pub(super) fn write(case: Case<'_, '_>, attempt: &mut Attempt, margin: &str, to: &mut dyn Write) -> io::Result<()> {
    let passed = attempt.outcome.passed();
    let style = if passed { GOOD } else { BAD };
    for (name, stream) in [("stdout", &mut attempt.stdout), ("stderr", &mut attempt.stderr)] {
        if !stream.is_empty() {
            writeln!(to, "  {}", Styled(style, &format!("{name} ───")))?;
            stream.write_indented(margin, to)?;
        }
    }
    for line in attempt.note.iter().flat_map(|note| note.lines()) {
        writeln!(to, "  {}", line.trim_start())?;
    }
    if !passed && attempt.outcome != Outcome::Failed {
        writeln!(to, "  the test {}", attempt.outcome)?;
    }
    if !passed {
        writeln!(to, "  {} {}", Styled(DIM, "re-run:"), command(case))?;
    }
    writeln!(to)
}

/// Writes what a test that still runs does: its processes, and the end of what it wrote.
pub(super) fn write_glimpse(glimpse: &Glimpse<'_, '_>, margin: &str, to: &mut dyn Write) -> io::Result<()> {
    for process in &glimpse.processes {
        writeln!(to, "             process {} {}: {}", process.pid, process.state(), process.command)?;
    }
    for (name, text) in [("stdout", &glimpse.stdout), ("stderr", &glimpse.stderr)] {
        if !text.is_empty() {
            writeln!(to, "  {}", Styled(DIM, &format!("{name} so far ───")))?;
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                to.write_all(margin.as_bytes())?;
                to.write_all(line.strip_suffix(b"\n").unwrap_or(line))?;
                to.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}

/// What to type to run exactly this test.
pub(super) fn command(case: Case<'_, '_>) -> String {
    let ignored = if case.test.ignored { " --run-ignored all" } else { "" };
    format!("cargo isotest run {} --exact {}{ignored}", case.ready.binary.selection, quoted(&case.test.name))
}

/// As a shell needs it.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-:./".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}
