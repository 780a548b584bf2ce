//! A machine of an engine, as far as a job sees one: a fresh checkout, a shell, `cargo isotest`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use isotest_tests::{Fixture, cargo_isotest, clean, root};
use roxmltree::Document;
use tempfile::TempDir;

/// What one machine is to do.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) commands: Vec<String>,
    /// The JUnit files that are kept.
    pub(crate) reports: Vec<String>,
    pub(crate) variables: BTreeMap<&'static str, String>,
}

/// Outside of this repository, whose own cargo configuration would hold in it.
pub(crate) struct Checkout(TempDir);

impl Checkout {
    pub(crate) fn new() -> Checkout {
        let place = tempfile::tempdir().expect("a directory can be made");
        copy(&Fixture("sharded").directory(), place.path());
        Checkout(place)
    }

    /// Runs those of the job's commands that concern `cargo isotest`, up to the first that fails.
    pub(crate) fn run(&self, job: &Job) -> i32 {
        let ours: Vec<_> = job.commands.iter().filter(|command| command.contains("cargo isotest")).collect();
        assert!(!ours.is_empty(), "{job:?}");
        let runner = cargo_isotest().parent().expect("it is in a directory").display().to_string();
        let path = format!("{runner}:{}", std::env::var("PATH").expect("there is one"));
        for command in ours {
            let mut shell = clean(Command::new("bash"));
            shell.args(["-e", "-c", command]).current_dir(self.0.path()).env("PATH", &path).env("CI", "true");
            let output = shell.envs(&job.variables).env("LUDWIG_FAILS", "1").output().expect("bash starts");
            match output.status.code() {
                Some(0) => {}
                Some(code) => return code,
                None => panic!("{command}: {}", isotest_tests::text(&output)),
            }
        }
        0
    }

    /// The tests that have said themselves that they ran.
    pub(crate) fn ran(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.path().join("ran")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The tests in a JUnit report.
    pub(crate) fn reported(&self, report: &str) -> Vec<String> {
        let path = self.0.path().join(report);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let document = Document::parse(&text).expect("well-formed XML");
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let names = cases.filter_map(|case| case.attribute("name"));
        names.map(|name| name.rsplit("::").next().unwrap_or(name).to_owned()).collect()
    }
}

/// A file of this repository.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("a directory of the checkout").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}
