//! Does cargo run test binaries by another program (`target.TRIPLE.runner`)? Then so do we, inside the sandbox.

use std::env;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use target_spec::{Platform, TargetFeatures, TargetSpec};
use toml::{Table, Value};

use super::cargo_config::{CargoConfig, Said};

/// The program, and what it is told before the binary's own command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runner {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
}

impl CargoConfig {
    /// For what was built for `target`, and what for the machine that built.
    pub(super) fn runners(&self, target: &str, host: &str) -> [Option<Runner>; 2] {
        [target, host].map(|triple| Runner::find(self, triple))
    }
}

impl Runner {
    /// What is to be started for this program to run with these arguments.
    pub(crate) fn command_line(&self, program: &Path, arguments: Vec<String>) -> (PathBuf, Vec<String>) {
        let program = program.to_string_lossy().into_owned();
        (self.program.clone(), self.arguments.iter().cloned().chain([program]).chain(arguments).collect())
    }

    /// For what was built for this triple.
    fn find(config: &CargoConfig, triple: &str) -> Option<Runner> {
        let here = env::current_dir().unwrap_or_default();
        let by_name =
            |layers: &[Said]| layers.iter().find_map(|said| Runner::of(said.table("target")?.get(triple)?, &said.base));
        let variable = format!("CARGO_TARGET_{}_RUNNER", triple.to_uppercase().replace(['-', '.'], "_"));
        let by_variable = || Runner::read(&Value::from(env::var(variable).ok()?), &here);
        by_name(&config.typed)
            .or_else(by_variable)
            .or_else(|| by_name(&config.written))
            .or_else(|| Runner::by_kind(config, triple))
    }

    /// By a `cfg()`. Where several hold, cargo has refused to build.
    fn by_kind(config: &CargoConfig, triple: &str) -> Option<Runner> {
        let platform = Platform::new(triple.to_owned(), TargetFeatures::Unknown).ok()?;
        let holds = |key: &str| {
            let spec = key.starts_with("cfg(").then(|| TargetSpec::new(key.to_owned()).ok()).flatten();
            spec.is_some_and(|spec| spec.eval(&platform).unwrap_or(false))
        };
        let of = |said: &Said| {
            let mut targets = said.table("target")?.iter().filter(|(key, _)| holds(key));
            targets.find_map(|(_, target)| Runner::of(target, &said.base))
        };
        config.typed.iter().chain(&config.written).find_map(of)
    }

    fn of(target: &Value, base: &Path) -> Option<Runner> {
        Runner::read(target.as_table().and_then(|target: &Table| target.get("runner"))?, base)
    }

    /// A command line, or its words.
    fn read(value: &Value, base: &Path) -> Option<Runner> {
        let mut words: Vec<String> = match value {
            Value::Array(words) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            value => value.as_str()?.split_whitespace().map(str::to_owned).collect(),
        };
        if words.is_empty() {
            return None;
        }
        let program = words.remove(0);
        // Where it is not found, its name alone, so that who can't run it names it.
        let found = || on_the_path(&program, &env::var_os("PATH").unwrap_or_default()).unwrap_or((&program).into());
        let program = if program.contains('/') { base.join(&program) } else { found() };
        Some(Runner { program, arguments: words })
    }
}

/// Where a program of this name is found in such a list of directories.
pub(crate) fn on_the_path(name: &str, path: &OsStr) -> Option<PathBuf> {
    let is_program = |file: &PathBuf| {
        file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    env::split_paths(path).map(|directory| directory.join(name)).find(is_program)
}
