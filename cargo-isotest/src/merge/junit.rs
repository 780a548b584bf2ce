//! How do several JUnit reports become one? Counts and times are added up, suites of one name become one suite, and what stands in
//! them is copied byte by byte: whatever a report says of a test is in the merged one.
//!
//! One report at a time is in memory; of the others it is known where each test's part lies in its file.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use roxmltree::{Document, Node};

use crate::report::write_attribute;

/// What the reports come to so far.
#[derive(Default)]
pub(super) struct Merged {
    pub(super) inputs: Vec<PathBuf>,
    name: Option<String>,
    /// When the first shard began.
    timestamp: Option<String>,
    /// Machines' time, not the wall's: they ran beside one another.
    time: Option<f64>,
    suites: Vec<Suite>,
    places: HashMap<String, usize>,
}

#[derive(Default)]
struct Suite {
    counts: Counts,
    time: Option<f64>,
    /// Attributes that can't be added up, of the first report that has the suite.
    others: Vec<(String, String)>,
    pieces: Vec<Option<Piece>>,
    /// By class and name.
    cases: HashMap<(String, String), Case>,
}

/// A part of an input.
struct Piece {
    input: usize,
    place: Range<usize>,
}

#[derive(Clone, Copy)]
struct Case {
    input: usize,
    piece: usize,
    was_skipped: bool,
}

/// Numbers by the names that JUnit has for them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts([Option<usize>; 5]);

const COUNTED: [&str; 5] = ["tests", "skipped", "disabled", "errors", "failures"];
const TESTS: usize = 0;
const SKIPPED: usize = 1;

impl Merged {
    /// Takes over a report; `wanted` is whether anybody said where to.
    pub(super) fn add(&mut self, path: &Path, text: &[u8], wanted: bool) -> Result<(), String> {
        if !wanted {
            return Err("it is a JUnit report: --junit OUT says where those go".to_owned());
        }
        let text = std::str::from_utf8(text).map_err(|error| format!("it is no UTF-8: {error}"))?;
        let document = Document::parse(text).map_err(|error| format!("it is no whole XML: {error}"))?;
        let root = document.root_element();
        if !root.has_tag_name("testsuites") {
            return Err(format!(
                "it is no JUnit report: it begins with <{}>, not <testsuites>",
                root.tag_name().name()
            ));
        }
        let input = self.inputs.len();
        self.inputs.push(path.to_owned());
        self.name = self.name.take().or_else(|| root.attribute("name").map(str::to_owned));
        let earlier = self.timestamp.take().into_iter().chain(root.attribute("timestamp").map(str::to_owned)).min();
        self.timestamp = earlier;
        self.time = sum(self.time, seconds(root)?);
        for suite in root.children().filter(|node| node.has_tag_name("testsuite")) {
            self.add_suite(input, suite)?;
        }
        Ok(())
    }

    fn add_suite(&mut self, input: usize, node: Node<'_, '_>) -> Result<(), String> {
        let name = node.attribute("name").ok_or("one of its suites has no name")?;
        let inputs = &self.inputs;
        let at = *self.places.entry(name.to_owned()).or_insert_with(|| {
            let others = node.attributes().map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()));
            let others = others.filter(|(name, _)| name != "time" && !COUNTED.contains(&name.as_str()));
            self.suites.push(Suite { others: others.collect(), ..Suite::default() });
            self.suites.len() - 1
        });
        let suite = &mut self.suites[at];
        suite.counts = suite.counts.and(Counts::read(node)?);
        suite.time = sum(suite.time, seconds(node)?);
        for child in node.children().filter(Node::is_element) {
            let piece = Piece { input, place: child.range() };
            if let Err(before) = suite.add(child, piece) {
                let name = format!("{name} {}", child.attribute("name").unwrap_or_default());
                let (input, before) = (inputs[input].display().to_string(), inputs[before].display().to_string());
                return Err(super::ran_twice(&input, &name, &before));
            }
        }
        Ok(())
    }

    /// The report of all.
    pub(super) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut files: Vec<File> = self.inputs.iter().map(File::open).collect::<io::Result<_>>()?;
        to.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites")?;
        if let Some(name) = &self.name {
            write_attribute("name", name, to)?;
        }
        write!(to, "{}", self.counts())?;
        if let Some(timestamp) = &self.timestamp {
            write_attribute("timestamp", timestamp, to)?;
        }
        write_time(self.time, to)?;
        to.write_all(b">\n")?;
        for suite in &self.suites {
            to.write_all(b"    <testsuite")?;
            for (name, value) in &suite.others {
                write_attribute(name, value, to)?;
            }
            write!(to, "{}", suite.counts)?;
            write_time(suite.time, to)?;
            to.write_all(b">\n")?;
            for piece in suite.pieces.iter().flatten() {
                let file = &mut files[piece.input];
                file.seek(SeekFrom::Start(piece.place.start as u64))?;
                to.write_all(b"        ")?;
                io::copy(&mut file.take(piece.place.len() as u64), to)?;
                to.write_all(b"\n")?;
            }
            to.write_all(b"    </testsuite>\n")?;
        }
        to.write_all(b"</testsuites>\n")
    }

    /// Of all suites.
    pub(super) fn counts(&self) -> Counts {
        self.suites.iter().fold(Counts::default(), |all, suite| all.and(suite.counts))
    }
}

impl Suite {
    /// Takes over a part of a suite. Gives the input that has told of the same test before.
    fn add(&mut self, node: Node<'_, '_>, piece: Piece) -> Result<(), usize> {
        if !node.has_tag_name("testcase") {
            self.pieces.push(Some(piece));
            return Ok(());
        }
        let attribute = |name| node.attribute(name).unwrap_or_default().to_owned();
        let was_skipped = node.children().any(|child| child.has_tag_name("skipped"));
        let key = (attribute("classname"), attribute("name"));
        let case = Case { input: piece.input, piece: self.pieces.len(), was_skipped };
        match self.cases.get(&key).copied().filter(|before| before.input != piece.input) {
            // What is another machine's share may be told of as skipped, by each of the others.
            Some(before) if was_skipped || before.was_skipped => {
                self.counts.forget_skipped();
                if was_skipped {
                    return Ok(());
                }
                self.pieces[before.piece] = None;
            }
            Some(before) => return Err(before.input),
            None => {}
        }
        self.pieces.push(Some(piece));
        self.cases.insert(key, case);
        Ok(())
    }
}

impl Counts {
    fn read(node: Node<'_, '_>) -> Result<Counts, String> {
        let mut counts = Counts::default();
        for (count, name) in counts.0.iter_mut().zip(COUNTED) {
            *count = node.attribute(name).map(|value| number(name, value)).transpose()?;
        }
        Ok(counts)
    }

    fn and(self, other: Counts) -> Counts {
        let mut both = self;
        for (count, more) in both.0.iter_mut().zip(other.0) {
            *count = count.map_or(more, |count| Some(count + more.unwrap_or(0)));
        }
        both
    }

    /// A skipped test that is told of elsewhere.
    fn forget_skipped(&mut self) {
        for at in [TESTS, SKIPPED] {
            self.0[at] = self.0[at].map(|count| count.saturating_sub(1));
        }
    }
}

/// As attributes.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.iter().zip(COUNTED);
        counts
            .filter_map(|(count, name)| count.map(|count| (count, name)))
            .try_for_each(|(count, name)| write!(f, " {name}=\"{count}\""))
    }
}

fn number<N: std::str::FromStr>(name: &str, value: &str) -> Result<N, String> {
    value.parse().map_err(|_| format!("its {name}={value:?} is no number"))
}

fn seconds(node: Node<'_, '_>) -> Result<Option<f64>, String> {
    node.attribute("time").map(|value| number("time", value)).transpose()
}

fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.map_or(other, |one| Some(one + other.unwrap_or(0.0)))
}

fn write_time(time: Option<f64>, to: &mut dyn Write) -> io::Result<()> {
    time.map_or(Ok(()), |time| write_attribute("time", &format!("{time:.3}"), to))
}
