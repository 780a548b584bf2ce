//! How are the contenders built and run? Each is a crate of its own that prints a name, a tab, and its measured values.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What one contender took, or what else it measured, round by round.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    pub(crate) name: String,
    pub(crate) values: Vec<f64>,
}

impl Times {
    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

/// Labs, and the kernel's own price, in turns.
pub(crate) fn ours() -> Result<Vec<Times>, String> {
    run("lab-speed", &["test", "--release", "--", "--ignored", "--nocapture", "--test-threads=1"])
}

/// patchbay, which runs `nft` and `tc`.
pub(crate) fn patchbay() -> Result<Vec<Times>, String> {
    run("lab-peer", &["run", "--release"])
}

fn run(fixture: &str, arguments: &[&str]) -> Result<Vec<Times>, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(fixture);
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(&directory).stderr(Stdio::piped());
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join(fixture));
    eprintln!("lab: building and running {fixture}");
    let output = command.output().map_err(|error| format!("starting cargo: {error}"))?;
    let times: Vec<Times> = String::from_utf8_lossy(&output.stdout).lines().filter_map(parsed).collect();
    if output.status.success() && !times.is_empty() { Ok(times) } else { Err(complaint(fixture, &output)) }
}

/// A harness may have begun the line with a test's name.
fn parsed(line: &str) -> Option<Times> {
    let (name, values) = line.split_once('\t')?;
    let name = name.rsplit(" ... ").next().unwrap_or(name).to_owned();
    let values: Vec<f64> = values.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    (!values.is_empty()).then_some(Times { name, values })
}

fn complaint(fixture: &str, output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned()).concat();
    let last: Vec<_> = said.trim_end().lines().rev().take(12).collect();
    format!("{fixture} {}: {}", output.status, last.into_iter().rev().collect::<Vec<_>>().join("\n"))
}
