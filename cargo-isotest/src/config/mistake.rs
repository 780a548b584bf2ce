//! How is a mistake in a text shown to the one who wrote it?
//!
//! With file, line and column, the line itself with carets under the guilty part, and what was probably meant.

use std::fmt::Write;
use std::ops::Range;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The guilty part of the text, in bytes.
    pub(crate) at: Range<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// What stands beside the carets.
    pub(crate) label: String,
    /// What to do about it.
    pub(crate) help: Vec<String>,
}

impl Mistake {
    /// With no more than a message.
    pub(crate) fn new(at: Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake { at, message: message.into(), label: String::new(), help: Vec::new() }
    }

    /// With a word beside the carets.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Mistake {
        self.label = label.into();
        self
    }

    /// With advice.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help.push(help.into());
        self
    }

    /// With the one of `names` that was probably meant, or all of them.
    pub(crate) fn guess<'n>(self, written: &str, names: impl IntoIterator<Item = &'n str>) -> Mistake {
        let names: Vec<&str> = names.into_iter().collect();
        match nearest(written, &names) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None if names.is_empty() => self,
            None => self.help(format!("possible: {}", listed(&names))),
        }
    }
}

/// All mistakes of one text, ready to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistakes(pub(crate) String);

impl Mistakes {
    /// Renders them in the order in which they stand in `text`.
    pub(crate) fn render(place: &str, text: &str, mut mistakes: Vec<Mistake>) -> Mistakes {
        mistakes.sort_by_key(|mistake| (mistake.at.start, mistake.at.end));
        mistakes.dedup();
        let rendered: Vec<_> = mistakes.iter().map(|mistake| rendered(place, text, mistake)).collect();
        Mistakes(rendered.join("\n\n"))
    }
}

impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The line of a byte, counted from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn rendered(place: &str, text: &str, mistake: &Mistake) -> String {
    let start = text.floor_char_boundary(mistake.at.start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or("");
    let before = &text[line_start..start];
    let end = text.floor_char_boundary(mistake.at.end.clamp(start, line_start + line.len().max(start - line_start)));
    let carets = "^".repeat(text[start..end].chars().count().max(1));
    let number = line_of(text, start).to_string();
    let gutter = " ".repeat(number.len());
    // A tab before the carets must be as wide as it is above them.
    let indent: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let column = before.chars().count() + 1;
    let label = if mistake.label.is_empty() { String::new() } else { format!(" {}", mistake.label) };
    let mut out = format!(
        "{}\n{gutter}--> {place}:{number}:{column}\n{gutter} |\n{number} | {line}\n{gutter} | {indent}{carets}{label}",
        mistake.message
    );
    for help in &mistake.help {
        // Writing to a String cannot fail.
        write!(out, "\n{gutter} = {help}").unwrap_or_default();
    }
    out
}

/// The name that is nearest to what was written, if any is near.
pub(crate) fn nearest<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
    let near = names.iter().map(|name| (strsim::damerau_levenshtein(written, name), *name));
    let far = (written.chars().count() / 3).max(1);
    near.filter(|(distance, _)| *distance <= far).min().map(|(_, name)| name)
}

/// `a`, `b` or `c`, each in quotes.
pub(crate) fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
