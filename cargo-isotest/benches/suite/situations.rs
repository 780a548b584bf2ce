//! What does one wait for in daily work? Many small binaries, a list, one test out of thousands; each beside the peers.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::crates::{build_tests, write_crate, write_if_new};
use crate::measure::{Proof, median, timed};
use crate::programs::{Programs, cargo};

const BINARIES: usize = 40;
const TESTS_EACH: usize = 10;
const MANY: usize = 5_000;

/// One situation: ours, the peer's, and what ours may take of it.
#[derive(Debug)]
pub(crate) struct Situation {
    pub(crate) name: &'static str,
    pub(crate) limit: f64,
    pub(crate) ours: Contender,
    pub(crate) peer: Contender,
}

/// Who is measured.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) label: &'static str,
    command: Result<Command, String>,
    proof: Proof,
    pub(crate) seconds: Result<Vec<f64>, String>,
}

impl Contender {
    fn new(label: &'static str, command: Result<Command, String>, proof: Proof) -> Contender {
        Contender { label, command, proof, seconds: Ok(Vec::new()) }
    }

    fn run(&mut self, counts: bool) {
        let Ok(all) = &mut self.seconds else { return };
        let took = match &mut self.command {
            Ok(command) => timed(command, self.proof),
            Err(missing) => Err(missing.clone()),
        };
        match took {
            Ok(took) if counts => all.push(took),
            Ok(_) => {}
            Err(why) => self.seconds = Err(why),
        }
    }

    pub(crate) fn median(&self) -> Option<f64> {
        median(self.seconds.as_ref().ok()?)
    }
}

/// Prepares and measures all of them, in turns.
pub(crate) fn measure(work: &Path, programs: &Programs, rounds: usize) -> Result<Vec<Situation>, String> {
    let target = work.join("situations/target");
    let linked = binaries(work, &target, "linked", true)?;
    let unlinked = binaries(work, &target, "unlinked", false)?;
    let many = many(work, &target)?;
    let isotest = |arguments: &[&str], manifest: &Path| {
        let mut command = programs.cargo_isotest();
        command.args(arguments).arg("--manifest-path").arg(manifest).env("CARGO_TARGET_DIR", &target);
        Ok(command)
    };
    let nextest = |arguments: &[&str], manifest: &Path| {
        let mut command = programs.nextest()?;
        command.args(arguments).arg("--manifest-path").arg(manifest).env("CARGO_TARGET_DIR", &target);
        Ok(command)
    };
    let cargo_test = |filter: &str, manifest: &Path| {
        let mut command = cargo();
        command.arg("test").arg("--manifest-path").arg(manifest).env("CARGO_TARGET_DIR", &target);
        command.args(["--", "--exact", filter]);
        Ok(command)
    };
    let all = Proof::Summary(BINARIES * TESTS_EACH);
    let one = "group_3::test_0123";
    let mut situations = vec![
        Situation {
            name: "40 binaries of 10 plain tests that link isotest",
            limit: 0.7,
            ours: Contender::new("cargo isotest", isotest(&["run"], &linked), all),
            peer: Contender::new("nextest, no isolation", nextest(&["run"], &linked), all),
        },
        Situation {
            name: "40 binaries of 10 plain tests that know nothing of isotest",
            limit: 0.7,
            ours: Contender::new("cargo isotest", isotest(&["run"], &unlinked), all),
            peer: Contender::new("nextest, no isolation", nextest(&["run"], &unlinked), all),
        },
        Situation {
            name: "a list of those 400 tests",
            limit: 1.0,
            ours: Contender::new("cargo isotest list", isotest(&["list"], &linked), Proof::ExitStatus),
            peer: Contender::new("cargo nextest list", nextest(&["list"], &linked), Proof::ExitStatus),
        },
        Situation {
            name: "one test out of 5,000 isolated ones",
            limit: 1.0,
            ours: Contender::new("cargo isotest", isotest(&["run", "--exact", one], &many), Proof::Summary(1)),
            peer: Contender::new("cargo test", cargo_test(one, &many), Proof::Libtest(1)),
        },
    ];
    for round in 0..=rounds {
        eprintln!("suite: situations, round {round} of {rounds}");
        for situation in &mut situations {
            // By turns, so that neither always pays for what the other leaves behind.
            let Situation { ours, peer, .. } = situation;
            let turns = if round % 2 == 0 { [ours, peer] } else { [peer, ours] };
            turns.into_iter().for_each(|contender| contender.run(round > 0));
        }
    }
    Ok(situations)
}

/// A crate with many test targets; each has the door if it `links` isotest.
fn binaries(work: &Path, target: &Path, name: &str, links: bool) -> Result<PathBuf, String> {
    let dependency = if links { isotest_dependency() } else { String::new() };
    let manifest = write_crate(&work.join("situations"), name, &dependency, "")?;
    let tests = manifest.with_file_name("tests");
    std::fs::create_dir_all(&tests).map_err(|error| format!("creating {}: {error}", tests.display()))?;
    for binary in 0..BINARIES {
        let mut text: String = (0..TESTS_EACH).map(|test| format!("#[test]\nfn test_{test}() {{}}\n")).collect();
        if links {
            text.push_str("#[isotest::isotest]\n#[ignore = \"only links the door\"]\nfn door() {}\n");
        }
        write_if_new(&tests.join(format!("binary_{binary:02}.rs")), &text)?;
    }
    eprintln!("suite: building {BINARIES} binaries ({name})");
    build_tests(&manifest, target)?;
    Ok(manifest)
}

fn many(work: &Path, target: &Path) -> Result<PathBuf, String> {
    let source = crate::crates::source(MANY, "isotest::isotest");
    let manifest = write_crate(&work.join("situations"), "many", &isotest_dependency(), &source)?;
    eprintln!("suite: building {MANY} tests");
    build_tests(&manifest, target)?;
    Ok(manifest)
}

fn isotest_dependency() -> String {
    format!("isotest-core = {{ path = {:?} }}\n", crate::crates::workspace().join("isotest-core"))
}
