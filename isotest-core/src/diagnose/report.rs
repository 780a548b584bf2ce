//! How is a refusal told? One report: what failed, what the kernel said, the evidence, the remedies.

use std::fmt::Write;

use nix::errno::Errno;

use super::{Diagnosis, diagnose};
use crate::outcome::{Failure, Stage};
use crate::restrictions::Restrictions;

/// Everything a person needs to mend a machine, or a spec, with which `test` cannot be isolated.
#[must_use]
pub fn explain(test: &str, failure: &Failure) -> String {
    if failure.stage == Stage::Spec {
        return format!("error: cannot isolate `{test}`: its spec contradicts itself\n\n  {}\n", failure.step);
    }
    report(test, failure, &diagnose(failure, &Restrictions::read()))
}

pub(super) fn report(test: &str, failure: &Failure, diagnosis: &Diagnosis) -> String {
    let mut text = format!("error: cannot isolate `{test}`: {}\n\n", diagnosis.cause);
    let errno = Errno::from_raw(failure.errno);
    // Writing to a string can't fail.
    let mut line = |label: &str, words: &str| writeln!(text, "  {label:<14} {words}").unwrap_or_default();
    line("failed at", &failure.step);
    if failure.errno != 0 {
        line("kernel", &format!("{errno:?}, {}", errno.desc()));
    }
    if let Some(evidence) = &diagnosis.evidence {
        line("because", evidence);
    }
    text.push('\n');
    for (label, words) in &diagnosis.remedies {
        writeln!(text, "  {label:<14} {words}").unwrap_or_default();
    }
    if failure.is_refusal() {
        text.push_str("\n  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation\n");
    }
    text
}
