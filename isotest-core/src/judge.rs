//! What does a report mean under what was asked for? A pure function, the same for `cargo test` and for the runner.

use std::fmt::Write;
use std::time::Duration;

use crate::outcome::Outcome;
use crate::report::{Destinations, LeftFiles, LeftOver, Process, Report, Tried};
use crate::{Egress, Policy, Spec};

/// What has become of a test, and what is to be said beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How it ended.
    pub outcome: Outcome,
    /// What it did beside. Of a test that failed anyhow they are said too, after its own words.
    pub notes: Vec<Note>,
}

/// Something that a test did which its spec does not ignore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub subject: Subject,
    /// What is to be shown: a line, and indented ones below it with the details.
    pub text: String,
}

/// What a [`Note`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Processes or files that were left behind.
    Leak,
    /// Attempts to reach outside of the sandbox.
    Egress,
    /// Where the packets on its network are kept.
    Packets,
    /// What its labs were. A body that came to its end has told them itself.
    Labs,
}

/// Judges a test by its report. `harness_finished` says whether the harness's own output tells that the test came to
/// its end, which matters where no wrapper speaks.
#[must_use]
pub fn judge(report: &Report, spec: &Spec, harness_finished: bool) -> Judgement {
    let mut judgement = Judgement { outcome: Outcome::of(report, harness_finished), notes: Vec::new() };
    judgement.weigh(spec.leaks, Outcome::Leaked, Subject::Leak, leaks(report));
    if !judgement.outcome.passed() {
        let labs = report.labs.iter().map(|text| Note { subject: Subject::Labs, text: text.clone() });
        judgement.notes.extend(labs);
    }
    for text in [egress(report, &spec.egress), egress_unseen(report)] {
        judgement.weigh(spec.egress.policy(), Outcome::TriedToLeave, Subject::Egress, text);
    }
    judgement
}

impl Judgement {
    fn weigh(&mut self, policy: Policy, forbidden: Outcome, subject: Subject, text: Option<String>) {
        let Some(text) = text.filter(|_| policy != Policy::Ignore) else { return };
        self.notes.push(Note { subject, text });
        if policy == Policy::Fail && self.outcome.passed() {
            self.outcome = forbidden;
        }
    }
}

fn leaks(report: &Report) -> Option<String> {
    let mut text = String::new();
    text.extend(processes(&report.left_over));
    text.extend(files(&report.files));
    (!text.is_empty()).then(|| text.trim_end().to_owned())
}

fn processes(left_over: &LeftOver) -> Option<String> {
    let mut text = match left_over.count {
        0 => return None,
        1 => "the test left a process running:\n".to_owned(),
        count => format!("the test left {count} processes running:\n"),
    };
    for process in &left_over.processes {
        let Process { pid, argv, age, ports } = process;
        write!(text, "  pid {pid}, {} old: {}", seconds(*age), argv.join(" ")).ok()?;
        for (at, port) in ports.iter().enumerate() {
            write!(text, "{}{port}", if at == 0 { " (" } else { ", " }).ok()?;
        }
        text.push_str(if ports.is_empty() { "\n" } else { ")\n" });
    }
    text.push_str(&and_more(left_over.count - left_over.processes.len().min(left_over.count)));
    Some(text)
}

fn files(files: &LeftFiles) -> Option<String> {
    let mut text = match files.count {
        0 => return None,
        1 => "the test left a file in its private directories:\n".to_owned(),
        LeftFiles::COUNTED.. => {
            format!("the test left {} files or more in its private directories:\n", LeftFiles::COUNTED)
        }
        count => format!("the test left {count} files in its private directories:\n"),
    };
    for path in &files.paths {
        writeln!(text, "  {path}").ok()?;
    }
    text.push_str(&and_more(files.count - files.paths.len().min(files.count)));
    Some(text)
}

fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!("  and {count} more\n") }
}

fn egress(report: &Report, allowed: &Egress) -> Option<String> {
    if allowed.is_recorded() {
        return destinations(report, allowed);
    }
    match report.egress {
        None | Some(0) => None,
        Some(attempts) => Some(format!("the test tried {} to reach outside of its sandbox", times(attempts))),
    }
}

/// What may have happened unseen counts as if it had.
fn egress_unseen(report: &Report) -> Option<String> {
    let failure = report.egress_unseen.as_ref()?;
    Some(format!("whether the test tried to reach outside of its sandbox was not seen: {failure}"))
}

/// So many destinations are shown to people.
const SHOWN: usize = 24;

/// Where to, without what is allowed.
fn destinations(report: &Report, allowed: &Egress) -> Option<String> {
    let Destinations { told, left_out, left_out_forbidden } = &report.destinations;
    let forbidden: Vec<_> = told.iter().filter(|tried| !allowed.allows(&tried.to)).collect();
    if forbidden.is_empty() && !left_out_forbidden {
        return None;
    }
    let not_shown = forbidden.len().saturating_sub(SHOWN) + if *left_out_forbidden { *left_out } else { 0 };
    let mut text = "the test tried to reach outside of its sandbox:\n".to_owned();
    for Tried { to, from, attempts } in forbidden.into_iter().take(SHOWN) {
        let from = from.as_ref().map(|host| format!(", from {host}")).unwrap_or_default();
        writeln!(text, "  {to}, {}{from}", times(*attempts)).ok()?;
    }
    text.push_str(&and_more(not_shown));
    Some(text.trim_end().to_owned())
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        times => format!("{times} times"),
    }
}

fn seconds(age: Duration) -> String {
    format!("{:.2}s", age.as_secs_f64())
}
