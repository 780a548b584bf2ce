//! Annotations that GitHub shows at the lines of a pull request: workflow commands on standard error.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use isotest::runner::{Outcome, write_all};

use super::cause::{Cause, Place};
use super::{Opening, Reporter, Summary};
use crate::cli::Annotate;
use crate::event::{Attempt, Case, Event, Finished, Verdict};

/// GitHub shows so many errors of a step, and so many warnings, and drops the rest.
const SHOWN: usize = 10;

/// What will be annotated.
pub(super) struct Annotations {
    root: Root,
    errors: Vec<Annotation>,
    warnings: Vec<Annotation>,
    /// Why tests failed that were tried again, and may yet be flaky.
    before: HashMap<Key, Annotation>,
    /// Whether a refusal is told: one cause, one annotation.
    refused: bool,
}

/// From where a file is named.
pub(super) struct Root {
    /// What the compiler's paths start from.
    workspace: PathBuf,
    /// What GitHub's start from.
    repository: PathBuf,
}

/// A binary, a test of it, a copy of that.
type Key = (usize, String, Option<usize>);

struct Annotation {
    place: Option<Place>,
    title: String,
    message: String,
}

/// Whether there is to be any, and from where files are named.
pub(super) fn wanted(opening: &Opening<'_, '_>) -> Option<Root> {
    let wanted = match opening.options.github_annotations {
        Annotate::Auto => std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
        Annotate::Always => true,
        Annotate::Never => false,
    };
    let workspace = opening.workspace.to_owned();
    let repository = std::env::var_os("GITHUB_WORKSPACE").map_or_else(|| workspace.clone(), PathBuf::from);
    wanted.then_some(Root { workspace, repository })
}

impl Annotations {
    /// Nothing yet.
    pub(super) fn new(root: Root) -> Annotations {
        Annotations { root, errors: Vec::new(), warnings: Vec::new(), before: HashMap::new(), refused: false }
    }

    fn retrying(&mut self, case: Case<'_, '_>, attempt: &mut Attempt) {
        if !self.before.contains_key(&key(case)) {
            let annotation = self.annotation(case, attempt);
            self.before.insert(key(case), annotation);
        }
    }

    fn ended(&mut self, case: Case<'_, '_>, finished: &mut Finished) {
        let before = self.before.remove(&key(case));
        let attempts = finished.attempts.len();
        match (finished.verdict(), before) {
            (Verdict::Failed, None) => {
                let last = finished.last_mut();
                if let Outcome::SetupFailed(failure) = &last.outcome
                    && failure.is_refusal()
                    && std::mem::replace(&mut self.refused, true)
                {
                    return;
                }
                let annotation = self.annotation(case, last);
                keep(annotation, &mut self.errors);
            }
            // The first failure is the test's own, as in a JUnit report.
            (Verdict::Failed, Some(first)) => keep(first, &mut self.errors),
            (Verdict::Flaky, Some(mut first)) => {
                first.message = format!("passed on attempt {attempts}, after this: {}", first.message);
                keep(first, &mut self.warnings);
            }
            _ => {}
        }
    }

    fn annotation(&self, case: Case<'_, '_>, attempt: &mut Attempt) -> Annotation {
        let cause = Cause::of(case, attempt);
        let title = format!("{} {}", case.ready.binary.id, case.test.name);
        let place = cause.place.map(|place| Place { file: self.root.in_the_repository(&place.file), ..place });
        Annotation { place, title, message: cause.message }
    }
}

impl Root {
    fn in_the_repository(&self, file: &str) -> String {
        let path = self.workspace.join(file);
        let within = path.strip_prefix(&self.repository).unwrap_or(Path::new(file));
        within.to_string_lossy().into_owned()
    }
}

/// Of what is not shown only the title is.
fn keep(mut annotation: Annotation, among: &mut Vec<Annotation>) {
    if among.len() >= SHOWN {
        annotation.message = String::new();
    }
    among.push(annotation);
}

fn key(case: Case<'_, '_>) -> Key {
    (case.test.binary, case.test.name.clone(), case.copy)
}

impl Reporter for Annotations {
    fn tell(&mut self, event: &mut Event<'_, '_>) {
        match event {
            Event::Retrying(case, attempt, _) => self.retrying(*case, attempt),
            Event::Ended(case, finished) => self.ended(*case, finished),
            _ => {}
        }
    }

    fn finish(&mut self, _summary: &Summary) -> Result<(), String> {
        let mut text = commands("error", &self.errors);
        text.push_str(&commands("warning", &self.warnings));
        // A reader that is gone wants nothing; the exit code still tells.
        write_all(&mut io::stderr().lock(), text.as_bytes()).ok();
        Ok(())
    }
}

/// As many as are shown; the last one names what the others are about, if they are more.
fn commands(kind: &str, annotations: &[Annotation]) -> String {
    let alone = if annotations.len() > SHOWN { SHOWN - 1 } else { SHOWN };
    let (alone, rest) = annotations.split_at(alone.min(annotations.len()));
    let mut text: String = alone.iter().map(|annotation| annotation.command(kind)).collect();
    if !rest.is_empty() {
        let title = format!("{} more tests", rest.len());
        let message = rest.iter().map(|annotation| annotation.title.as_str()).collect::<Vec<_>>().join("\n");
        text.push_str(&Annotation { place: None, title, message }.command(kind));
    }
    text
}

impl Annotation {
    fn command(&self, kind: &str) -> String {
        let place = self.place.as_ref().map_or_else(String::new, |Place { file, line, column }| {
            format!("file={},line={line},col={column},", escaped(file, true))
        });
        format!("::{kind} {place}title={}::{}\n", escaped(&self.title, true), escaped(self.message.trim_end(), false))
    }
}

/// What GitHub's parser takes for an end is written as it wants it.
fn escaped(text: &str, in_property: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            ':' if in_property => escaped.push_str("%3A"),
            ',' if in_property => escaped.push_str("%2C"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Annotation, Place, Root, commands};

    fn annotation(title: &str) -> Annotation {
        let place = Some(Place { file: "src/a,b.rs".to_owned(), line: 3, column: 7 });
        Annotation { place, title: title.to_owned(), message: "left: 1, 100%\nright: 2\n".to_owned() }
    }

    #[test]
    fn what_ends_a_property_or_a_line_is_escaped() {
        assert_eq!(
            commands("error", &[annotation("a::b c::d")]),
            "::error file=src/a%2Cb.rs,line=3,col=7,title=a%3A%3Ab c%3A%3Ad::left: 1, 100%25%0Aright: 2\n"
        );
    }

    #[test]
    fn more_than_are_shown_are_named_by_the_last() {
        let ten: Vec<_> = (0..10).map(|at| annotation(&at.to_string())).collect();
        assert_eq!(commands("error", &ten).lines().count(), 10);
        let many: Vec<_> = (0..12).map(|at| annotation(&at.to_string())).collect();
        let text = commands("error", &many);
        assert_eq!(text.lines().count(), 10);
        assert_eq!(text.lines().last(), Some("::error title=3 more tests::9%0A10%0A11"));
    }

    #[test]
    fn files_are_named_in_the_repository() {
        let root = Root { workspace: "/r/rust".into(), repository: "/r".into() };
        assert_eq!(root.in_the_repository("src/x.rs"), "rust/src/x.rs");
        assert_eq!(root.in_the_repository("/r/other/x.rs"), "other/x.rs");
        assert_eq!(root.in_the_repository("/elsewhere/x.rs"), "/elsewhere/x.rs");
    }
}
