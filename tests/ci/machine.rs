//! A machine of an engine, as far as a job sees one: a directory, a shell, `cargo-isotest`, and perhaps cargo.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use isotest_tests::{Fixture, cargo_isotest, clean, root};
use roxmltree::Document;
use tempfile::TempDir;

use crate::engines::Job;

/// Outside of this repository, whose own cargo configuration would hold in it.
pub(crate) struct Machine(TempDir);

/// What programs a machine has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Has {
    Cargo,
    NoCargo,
}

impl Machine {
    pub(crate) fn empty() -> Machine {
        Machine(tempfile::tempdir().expect("a directory can be made"))
    }

    pub(crate) fn with_checkout() -> Machine {
        let machine = Machine::empty();
        copy(&Fixture("sharded").directory(), machine.0.path());
        machine
    }

    /// Gets what another has kept.
    pub(crate) fn gets(&self, job: &Job, of: &Machine, with_permissions: bool) {
        for kept in &job.keeps {
            let (from, to) = (of.0.path().join(kept), self.0.path().join(kept));
            fs::create_dir_all(to.parent().expect("it is in the directory")).expect("a directory can be made");
            fs::copy(&from, &to).unwrap_or_else(|error| panic!("{kept}: {error}"));
            if !with_permissions {
                fs::set_permissions(&to, PermissionsExt::from_mode(0o644)).expect("it is ours");
            }
        }
    }

    /// Runs the job's commands up to the first that fails, but for those that change the machine.
    pub(crate) fn run(&self, job: &Job, has: Has) -> i32 {
        let runner = cargo_isotest();
        let path = match has {
            Has::Cargo => {
                let path = std::env::var("PATH").expect("there is one");
                format!("{}:{path}", runner.parent().expect("it is in a directory").display())
            }
            Has::NoCargo => "/usr/bin:/bin".to_owned(),
        };
        for command in &job.commands {
            if command.starts_with("sudo sysctl ") {
                continue;
            }
            if command.starts_with("cargo install ") {
                if command.contains(" --root runner ") {
                    fs::create_dir_all(self.0.path().join("runner/bin")).expect("a directory can be made");
                    fs::copy(runner, self.0.path().join("runner/bin/cargo-isotest")).expect("it can be copied");
                }
                continue;
            }
            let mut shell = clean(Command::new("bash"));
            shell.args(["-e", "-c", command]).current_dir(self.0.path()).env("PATH", &path).env("CI", "true");
            let output = shell.envs(&job.variables).env("LUDWIG_FAILS", "1").output().expect("bash starts");
            match output.status.code() {
                Some(0) => {}
                Some(100) => return 100,
                _ => panic!("{command}: {}", isotest_tests::text(&output)),
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
