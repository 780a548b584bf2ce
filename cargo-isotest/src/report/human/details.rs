//! What a test wrote, why it failed, and how to run it again.

use std::io::{self, Write};

use isotest::runner::Outcome;

use super::screen::Screen;
use crate::event::{Attempt, Case};
use crate::report::terminal::{BAD, DIM, GOOD, Styled};

/// Shows all of it.
pub(super) fn show(case: Case<'_, '_>, attempt: &mut Attempt, screen: &mut Screen) {
    if let Err(error) = screen.directly(|to| write(case, attempt, to)) {
        screen.write(format!("  (the rest can't be read: {error})\n\n").as_bytes());
    }
}

/// Writes all of it.
pub(super) fn write(case: Case<'_, '_>, attempt: &mut Attempt, to: &mut dyn Write) -> io::Result<()> {
    let passed = attempt.outcome.passed();
    let style = if passed { GOOD } else { BAD };
    for (name, stream) in [("stdout", &mut attempt.stdout), ("stderr", &mut attempt.stderr)] {
        if !stream.is_empty() {
            writeln!(to, "  {}", Styled(style, &format!("{name} ───")))?;
            stream.write_indented("    ", to)?;
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
