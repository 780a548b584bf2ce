//! What does a crate pay at build time for its test isolation?
//!
//! A library with one test is built from nothing, once with each library that isolates and once with none.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::crates::write_crate;
use crate::measure::{last_words, median};
use crate::programs::{Programs, cargo};

#[derive(Debug)]
struct Contender {
    name: &'static str,
    /// What goes below `[dev-dependencies]`; `CORE` stands for the path of isotest-core.
    dependency: &'static str,
    attribute: &'static str,
}

const CONTENDERS: [Contender; 5] = [
    Contender { name: "none", dependency: "", attribute: "test" },
    Contender { name: "isotest-core", dependency: "isotest-core = { path = CORE }\n", attribute: "isotest::isotest" },
    Contender {
        name: "isotest-core, default features off",
        dependency: "isotest-core = { path = CORE, default-features = false }\n",
        attribute: "isotest::isotest",
    },
    Contender { name: "test-fork", dependency: "test-fork = \"0.1\"\n", attribute: "test_fork::test" },
    Contender {
        name: "gateflow",
        dependency: "gateflow = { version = \"0.1\", features = [\"macros\"] }\n",
        attribute: "gateflow::isolated_net",
    },
];

/// A clean build of one contender.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) name: &'static str,
    pub(crate) result: Result<Built, String>,
}

#[derive(Debug, Default)]
pub(crate) struct Built {
    seconds: Vec<f64>,
    crates: BTreeSet<String>,
}

impl Built {
    pub(crate) fn median(&self) -> Option<f64> {
        median(&self.seconds)
    }

    /// Packages compiled beside the crate itself.
    pub(crate) fn crates(&self) -> usize {
        self.crates.len() - 1
    }
}

pub(crate) fn clean_builds(work: &Path, programs: &Programs, rounds: usize) -> Vec<Build> {
    let home = work.join("builds");
    let (manifests, mut builds): (Vec<_>, Vec<_>) = CONTENDERS
        .iter()
        .map(|contender| {
            let manifest = fetched(&home, contender, programs);
            let result = manifest.as_ref().map(|_| Built::default()).map_err(String::clone);
            (manifest.unwrap_or_default(), Build { name: contender.name, result })
        })
        .unzip();
    for round in 1..=rounds {
        eprintln!("suite: clean builds, round {round} of {rounds}");
        for (manifest, build) in manifests.iter().zip(&mut builds) {
            if let Ok(built) = &mut build.result
                && let Err(why) = build_once(manifest, &home.join("target"), built)
            {
                build.result = Err(why);
            }
        }
    }
    builds
}

/// Writes the crate and downloads what it needs, so that building needs no network.
fn fetched(home: &Path, contender: &Contender, programs: &Programs) -> Result<PathBuf, String> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("isotest-core");
    let dependency = contender.dependency.replace("CORE", &format!("{core:?}"));
    let crate_name = format!("one-test-{}", contender.name.replace(", ", "-").replace(' ', "-"));
    let source = format!("#[cfg(test)]\nmod tests {{\n    #[{}]\n    fn one() {{}}\n}}\n", contender.attribute);
    let manifest = write_crate(home, &crate_name, &dependency, &source)?;
    let mut fetch = cargo();
    fetch.args(["fetch", "--target", programs.host(), "--manifest-path"]).arg(&manifest);
    let output = fetch.output().map_err(|error| format!("starting cargo: {error}"))?;
    if output.status.success() { Ok(manifest) } else { Err(last_words(&output)) }
}

fn build_once(manifest: &Path, target: &Path, built: &mut Built) -> Result<(), String> {
    if target.exists() {
        fs::remove_dir_all(target).map_err(|error| format!("removing {}: {error}", target.display()))?;
    }
    let mut build = cargo();
    build.args(["test", "--no-run", "--offline", "--manifest-path"]).arg(manifest).env("CARGO_TARGET_DIR", target);
    let start = std::time::Instant::now();
    let output = build.output().map_err(|error| format!("starting cargo: {error}"))?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(last_words(&output));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // "Compiling NAME VERSION", one line per package.
    built.crates = said.lines().filter_map(|line| line.trim().strip_prefix("Compiling ")).map(str::to_owned).collect();
    if built.crates.is_empty() {
        return Err("cargo compiled nothing".to_owned());
    }
    built.seconds.push(seconds);
    Ok(())
}
