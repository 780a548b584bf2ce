//! How often do the profiles of one run say that a function was called?

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The functions of the fixture that were called, without the `called_by_` that their names begin with.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Adds up all profiles in a directory.
pub(crate) fn in_directory(directory: &Path) -> Counts {
    let mut counts = Counts::new();
    for entry in fs::read_dir(directory).expect("profiles have been written").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "profraw") {
            add(&entry.path(), &mut counts);
        }
    }
    counts
}

fn add(profile: &Path, counts: &mut Counts) {
    let parsed = llvm_profparser::parse(profile).unwrap_or_else(|error| panic!("{}: {error}", profile.display()));
    for record in parsed.records() {
        let called = record.counts().first().copied().unwrap_or(0);
        if let (Some(function), 1..) = (record.name().and_then(function), called) {
            *counts.entry(function.to_owned()).or_default() += called;
        }
    }
}

/// A function of the fixture's library in the spelling of the compiler's symbols: `…23called_by_a_plain_test…`.
fn function(symbol: &str) -> Option<&str> {
    const PREFIX: &str = "called_by_";
    let at = symbol.find(PREFIX)?;
    let digits = symbol[..at].trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let length: usize = symbol[digits..at].parse().ok()?;
    symbol.get(at + PREFIX.len()..at + length)
}
