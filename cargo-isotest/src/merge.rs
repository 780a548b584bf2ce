//! `cargo isotest merge`: what do the shards of a run come to? One report of their reports, one timing file of their timing files.
//!
//! Shards share tests out, so that each ran in one of them: that one is in two inputs means that these are not what they are
//! taken for, and nothing is written.

mod junit;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Problem;
use crate::cli::Merge;
use crate::exit_code::Code;
use crate::record::Record;
use crate::report::write_at_once;
use junit::Merged;

/// Reads all inputs, then writes what was asked for.
pub(crate) fn merge(options: &Merge) -> Result<Code, Problem> {
    let wrong = |message: String| Problem { message, code: Code::SetupFailed };
    let mut places: HashMap<PathBuf, &Path> = HashMap::new();
    let mut merged = Merged::default();
    let mut timings: Vec<(&Path, Record)> = Vec::new();
    for input in &options.inputs {
        let cannot = |why: String| wrong(format!("cannot merge {}: {why}", input.display()));
        let real = input.canonicalize().map_err(|error| cannot(error.to_string()))?;
        if let Some(before) = places.insert(real, input) {
            return Err(cannot(format!("it is the same file as {}, which is given before it", before.display())));
        }
        let text = fs::read(input).map_err(|error| cannot(error.to_string()))?;
        match Kind::of(&text) {
            Some(Kind::Junit) => merged.add(input, &text, options.junit.is_some()),
            Some(Kind::Timings) if options.timing_file.is_none() => {
                Err("it is a timing file: --timing-file OUT says where those go".to_owned())
            }
            Some(Kind::Timings) => Record::parse_timings(&text).map(|record| timings.push((input, record))),
            None => Err("it is neither a JUnit report nor a timing file".to_owned()),
        }
        .map_err(cannot)?;
    }
    let none = |option: &str, what: &str| wrong(format!("{option} is given, but no {what} is among the inputs"));
    if options.junit.is_some() && merged.inputs.is_empty() {
        return Err(none("--junit", "JUnit report"));
    }
    if options.timing_file.is_some() && timings.is_empty() {
        return Err(none("--timing-file", "timing file"));
    }
    let timings = all(timings).map_err(wrong)?;
    let failed = |message| Problem { message, code: Code::OutputFailed };
    if let Some(out) = &options.junit {
        let written = write_at_once(out, |to| merged.write(to));
        written.map_err(|error| failed(format!("cannot write the JUnit report {}: {error}", out.display())))?;
    }
    if let Some(out) = &options.timing_file {
        timings.write_timings(out).map_err(failed)?;
    }
    Ok(Code::Passed)
}

/// What an input is.
enum Kind {
    Junit,
    Timings,
}

impl Kind {
    fn of(text: &[u8]) -> Option<Kind> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        match text.trim_ascii_start().first()? {
            b'<' => Some(Kind::Junit),
            b'{' => Some(Kind::Timings),
            _ => None,
        }
    }
}

/// What all know together.
fn all(timings: Vec<(&Path, Record)>) -> Result<Record, String> {
    let mut all = Record::default();
    let mut before: Vec<(&Path, Record)> = Vec::new();
    for (input, record) in timings {
        if let Err((binary, test)) = all.add(record.clone()) {
            let other = before.iter().find(|(_, record)| record.knows(&binary, &test));
            let other = other.map(|(input, _)| input.display().to_string()).unwrap_or_default();
            return Err(ran_twice(&input.display().to_string(), &format!("{binary} {test}"), &other));
        }
        before.push((input, record));
    }
    Ok(all)
}

/// A test is in two inputs.
fn ran_twice(input: &str, test: &str, other: &str) -> String {
    format!(
        "cannot merge {input}: {test} ran there and in {other}, too: are they shards of one run, each with its own share of \
         --partition?"
    )
}
