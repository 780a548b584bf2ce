//! What do the measured test suites look like?
//!
//! Each size exists twice: as `#[isotest]` and, for the runners that know no isolation, as plain `#[test]`. Test bodies
//! are empty, so that what is left is the price of running a test.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::measure::last_words;
use crate::programs::{Programs, cargo};

const GROUPS: usize = 10;

/// One size of suite, written and built.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) tests: usize,
    /// Of the crate with `#[isotest]`.
    pub(crate) isotest: PathBuf,
    /// Of its twin with plain `#[test]`.
    pub(crate) plain: PathBuf,
    /// Where both are built.
    pub(crate) target: PathBuf,
    /// Everything above is in here.
    pub(crate) home: PathBuf,
}

impl Suite {
    pub(crate) fn prepare(work: &Path, programs: &Programs, tests: usize) -> Result<Self, String> {
        let isotest_core = workspace().join("isotest-core");
        let dependency = format!("isotest-core = {{ path = {isotest_core:?} }}\n");
        let home = work.join(tests.to_string());
        let suite = Self {
            tests,
            isotest: write_crate(&home, &format!("isotest-{tests}"), &dependency, &source(tests, "isotest::isotest"))?,
            plain: write_crate(&home, &format!("plain-{tests}"), "", &source(tests, "test"))?,
            target: home.join("target"),
            home,
        };
        eprintln!("suite: building {tests} tests, twice");
        build_tests(&suite.isotest, &suite.target)?;
        build_tests(&suite.plain, &suite.target)?;
        // nextest builds with the same profile and reuses it, but let it say so outside the measured runs.
        if let Ok(mut nextest) = programs.nextest() {
            nextest.args(["list", "--manifest-path"]).arg(&suite.plain).env("CARGO_TARGET_DIR", &suite.target);
            nextest.output().map_err(|error| format!("starting nextest: {error}"))?;
        }
        Ok(suite)
    }
}

/// Builds a crate's tests.
pub(crate) fn build_tests(manifest: &Path, target: &Path) -> Result<(), String> {
    let mut build = cargo();
    build.args(["test", "--no-run", "--manifest-path"]).arg(manifest).env("CARGO_TARGET_DIR", target);
    let output = build.output().map_err(|error| format!("starting cargo: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("building {}: {}", manifest.display(), last_words(&output)))
    }
}

/// A filter that keeps exactly one of the groups that [`source`] spreads the tests over.
pub(crate) const ONE_GROUP: &str = "group_0::";

/// So many tests, spread over groups.
pub(crate) fn source(tests: usize, attribute: &str) -> String {
    let mut text = String::new();
    for group in 0..GROUPS {
        write!(text, "#[cfg(test)]\nmod group_{group} {{\n").expect("a String takes everything");
        for test in 0..tests / GROUPS {
            writeln!(text, "    #[{attribute}]\n    fn test_{test:04}() {{}}").expect("a String takes everything");
        }
        text.push_str("}\n");
    }
    text
}

/// Writes a library crate of its own workspace and returns its manifest.
pub(crate) fn write_crate(parent: &Path, name: &str, dependency: &str, source: &str) -> Result<PathBuf, String> {
    let home = parent.join(name);
    let manifest = home.join("Cargo.toml");
    fs::create_dir_all(home.join("src")).map_err(|error| format!("creating {}: {error}", home.display()))?;
    write_if_new(
        &manifest,
        &format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [lib]\ndoctest = false\n\n[dev-dependencies]\n{dependency}\n[workspace]\n"
        ),
    )?;
    write_if_new(&home.join("src/lib.rs"), source)?;
    if dependency.contains("path") {
        // The versions this project is tested with; cargo drops what the crate does not need.
        let locked = workspace().join("Cargo.lock");
        fs::copy(&locked, home.join("Cargo.lock")).map_err(|error| format!("copying {}: {error}", locked.display()))?;
    }
    Ok(manifest)
}

/// Writes a file. Leaves an equal one alone, so that a second run finds everything built.
pub(crate) fn write_if_new(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text).map_err(|error| format!("writing {}: {error}", path.display()))
}

/// This project.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is a member of the workspace")
}
