//! How did the tests fare when they ran last? A file in the target directory remembers.
//!
//! It only helps: a missing or unreadable file means that nothing is known, and never stops a run.

mod timings;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Raised when the file changes so that an older program would misread it.
const VERSION: u32 = 1;

/// Every test that ever ran here and still exists, by binary and name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    tests: BTreeMap<String, BTreeMap<String, Last>>,
}

/// A test's last run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Last {
    /// How long it took.
    pub(crate) seconds: f64,
    /// Whether it passed.
    pub(crate) passed: bool,
}

impl Last {
    pub(crate) fn took(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.seconds).ok()
    }
}

/// Where it lies.
pub(crate) fn path(reports: &Path) -> PathBuf {
    reports.join("record.json")
}

impl Record {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Record {
        let record: Option<Record> = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        record.filter(|record| record.version == VERSION).unwrap_or_default()
    }

    /// What it knows of a test.
    pub(crate) fn last(&self, binary: &str, test: &str) -> Option<Last> {
        self.tests.get(binary)?.get(test).copied()
    }

    /// Whether it knows of a test that did not pass.
    pub(crate) fn has_failures(&self) -> bool {
        self.tests.values().flat_map(BTreeMap::values).any(|last| !last.passed)
    }

    /// A test has run.
    pub(crate) fn remember(&mut self, binary: &str, test: &str, last: Last) {
        // Not `entry`: nearly always both are there, and a suite may have many tests.
        match self.tests.get_mut(binary) {
            Some(tests) => _ = tests.insert(test.to_owned(), last),
            None => _ = self.tests.insert(binary.to_owned(), BTreeMap::from([(test.to_owned(), last)])),
        }
    }

    /// Forgets the tests of `binary` that it has no longer.
    pub(crate) fn keep_only(&mut self, binary: &str, existing: &HashSet<&str>) {
        if let Some(tests) = self.tests.get_mut(binary) {
            tests.retain(|test, _| existing.contains(test.as_str()));
        }
    }

    /// Writes the file anew: whoever reads it meanwhile sees the old one or the new one.
    pub(crate) fn write(&mut self, path: &Path) -> io::Result<()> {
        self.version = VERSION;
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        serde_json::to_writer(io::BufWriter::new(&mut file), self)?;
        file.persist(path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Last, Record};

    const PASSED: Last = Last { seconds: 0.5, passed: true };

    #[test]
    fn what_was_written_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("target/isotest/record.json");
        let mut record = Record::default();
        record.remember("crate", "a::b", PASSED);
        record.write(&path).expect("the directory can be written");
        assert_eq!(Record::read(&path).last("crate", "a::b"), Some(PASSED));
        assert_eq!(Record::read(&path).last("crate", "a::c"), None);
    }

    #[test]
    fn a_file_that_can_t_be_read_knows_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("record.json");
        for contents in ["", "{", "[]", r#"{"version":99,"tests":{"crate":{"a":{"seconds":1,"passed":false}}}}"#] {
            std::fs::write(&path, contents).expect("the directory can be written");
            assert!(!Record::read(&path).has_failures(), "{contents}");
        }
    }

    #[test]
    fn a_test_that_exists_no_longer_is_forgotten_and_others_stay() {
        let mut record = Record::default();
        for (binary, test) in [("one", "old"), ("one", "kept"), ("other", "old")] {
            record.remember(binary, test, PASSED);
        }
        record.keep_only("one", &HashSet::from(["kept"]));
        assert_eq!(record.last("one", "old"), None);
        assert!(record.last("one", "kept").is_some() && record.last("other", "old").is_some());
    }
}
