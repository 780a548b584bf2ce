//! How long did the tests take, for machines that share them out? The record's form, one test a line: a file that can be
//! committed. Unlike the record it is asked for, so that whatever is wrong with it stops the run: machines that don't know the
//! same would leave tests out, or run them twice.

use std::collections::btree_map::Entry;
use std::io::{self, Write};
use std::path::Path;

use super::{Last, Record, VERSION};
use crate::report::write_at_once;

impl Record {
    /// Reads such a file.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no such file; says what to do.
    pub(crate) fn read_timings(path: &Path) -> Result<Record, String> {
        let remedy =
            "`cargo isotest run --write-timing-file` writes one; without one, --partition hash:M/N shares out, too";
        let wrong = |why: String| format!("cannot read the timing file {}: {why}; {remedy}", path.display());
        let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        Record::parse_timings(&text).map_err(wrong)
    }

    /// Reads what is in such a file.
    pub(crate) fn parse_timings(text: &[u8]) -> Result<Record, String> {
        let record: Record = serde_json::from_slice(text).map_err(|error| format!("it is none: {error}"))?;
        if record.version != VERSION {
            return Err(format!("it has version {}, and this program reads {VERSION}", record.version));
        }
        let all = record.tests.iter().flat_map(|(binary, tests)| tests.iter().map(move |test| (binary, test)));
        for (binary, (test, last)) in all {
            if last.took().is_none() {
                return Err(format!("{binary} {test} took {} seconds in it", last.seconds));
            }
        }
        Ok(record)
    }

    /// Writes such a file. Gives what could not be done, if anything.
    pub(crate) fn write_timings(&self, path: &Path) -> Result<(), String> {
        let written = write_at_once(path, |to| self.write_lines(to));
        written.map_err(|error| format!("cannot write the timing file {}: {error}", path.display()))
    }

    fn write_lines(&self, to: &mut dyn Write) -> io::Result<()> {
        write!(to, "{{\"version\":{VERSION},\"tests\":{{")?;
        for (at, (binary, tests)) in self.tests.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(to, "{comma}\n{}:{{", serde_json::to_string(binary)?)?;
            for (at, (test, last)) in tests.iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                let (name, Last { seconds, passed }) = (serde_json::to_string(test)?, last);
                write!(to, "{comma}\n  {name}:{{\"seconds\":{seconds:.4},\"passed\":{passed}}}")?;
            }
            to.write_all(b"}")?;
        }
        to.write_all(b"}}\n")
    }

    /// Takes over what another knows.
    ///
    /// # Errors
    ///
    /// Names the first test that both know.
    pub(crate) fn add(&mut self, other: Record) -> Result<(), (String, String)> {
        for (binary, tests) in other.tests {
            let known = self.tests.entry(binary.clone()).or_default();
            for (test, last) in tests {
                match known.entry(test) {
                    Entry::Vacant(vacant) => _ = vacant.insert(last),
                    Entry::Occupied(there) => return Err((binary, there.key().clone())),
                }
            }
        }
        Ok(())
    }

    /// Whether it knows of a test.
    pub(crate) fn knows(&self, binary: &str, test: &str) -> bool {
        self.last(binary, test).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Record;
    use crate::record::Last;

    fn record(tests: &[(&str, &str, f64)]) -> Record {
        let mut record = Record::default();
        for &(binary, test, seconds) in tests {
            record.remember(binary, test, Last { seconds, passed: true });
        }
        record
    }

    fn text(record: &Record) -> String {
        let mut text = Vec::new();
        record.write_lines(&mut text).expect("memory takes it");
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn what_is_written_has_one_test_a_line_and_is_read() {
        let text = text(&record(&[("b", "of \"b\"", 0.25), ("a", "y", 1.0), ("a", "x", 0.000_01)]));
        assert_eq!(
            text,
            "{\"version\":1,\"tests\":{\n\"a\":{\n  \"x\":{\"seconds\":0.0000,\"passed\":true},\n  \
             \"y\":{\"seconds\":1.0000,\"passed\":true}},\n\"b\":{\n  \
             \"of \\\"b\\\"\":{\"seconds\":0.2500,\"passed\":true}}}}\n"
        );
        let read = Record::parse_timings(text.as_bytes()).expect("it can be read");
        assert_eq!(read.last("b", "of \"b\"").map(|last| last.seconds), Some(0.25));
        assert!(read.knows("a", "x") && !read.knows("a", "z"));
    }

    #[test]
    fn a_run_without_tests_writes_one_without_tests() {
        assert!(Record::parse_timings(text(&record(&[])).as_bytes()).expect("it can be read").tests.is_empty());
    }

    #[test]
    fn what_is_no_timing_file_is_told() {
        let problem = |text: &str| Record::parse_timings(text.as_bytes()).expect_err(text);
        assert!(problem("").starts_with("it is none: EOF"));
        assert!(problem("[1]").starts_with("it is none: "));
        assert_eq!(problem("{\"version\":2,\"tests\":{}}"), "it has version 2, and this program reads 1");
        let negative = "{\"version\":1,\"tests\":{\"a\":{\"x\":{\"seconds\":-1,\"passed\":true}}}}";
        assert_eq!(problem(negative), "a x took -1 seconds in it");
    }

    #[test]
    fn what_both_know_is_named() {
        let mut one = record(&[("a", "x", 1.0), ("b", "x", 2.0)]);
        one.add(record(&[("a", "y", 1.0), ("c", "x", 1.0)])).expect("no test is in both");
        assert!(one.knows("a", "y") && one.knows("c", "x") && one.knows("b", "x"));
        assert_eq!(one.add(record(&[("a", "y", 1.0)])), Err(("a".to_owned(), "y".to_owned())));
    }
}
