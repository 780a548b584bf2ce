//! What is cargo configured to do? The tables that it reads, by the rules that the Cargo Book describes under "Configuration".
//! Mistakes in them are cargo's to tell: it has read them before.

use std::env;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// All that was configured.
#[derive(Debug)]
pub(super) struct CargoConfig {
    /// What `--config` was given, the strongest first.
    pub(super) typed: Vec<Said>,
    /// What stands in files, the strongest first.
    pub(super) written: Vec<Said>,
}

/// One table.
#[derive(Debug)]
pub(super) struct Said {
    table: Table,
    /// Where a relative path in it begins: where the folder `.cargo` lies.
    pub(super) base: PathBuf,
}

impl CargoConfig {
    /// For a cargo that is run from here, with these values of `--config`.
    pub(super) fn read(overrides: &[String]) -> CargoConfig {
        let here = env::current_dir().unwrap_or_default();
        let typed = overrides.iter().rev().flat_map(|text| match text.parse() {
            Ok(table) => vec![Said { table, base: here.clone() }],
            Err(_) => Said::read(&here.join(text)),
        });
        CargoConfig { typed: typed.collect(), written: files(&here).iter().flat_map(|file| Said::read(file)).collect() }
    }

    /// All tables with this name, the strongest first, each with where a relative path in it begins.
    pub(super) fn tables(&self, name: &str) -> impl Iterator<Item = (&Table, &Path)> {
        self.typed.iter().chain(&self.written).filter_map(move |said| Some((said.table(name)?, &*said.base)))
    }
}

impl Said {
    /// A file, and what it includes, the strongest first.
    fn read(file: &Path) -> Vec<Said> {
        let text = std::fs::read_to_string(file).ok();
        let Some(table) = text.and_then(|text| text.parse::<Table>().ok()) else { return Vec::new() };
        let base = file.parent().and_then(Path::parent).unwrap_or(Path::new("/")).to_owned();
        let included = included(&table).into_iter().rev();
        // Cargo refuses a file that includes itself.
        let included: Vec<Said> = included.flat_map(|path| Said::read(&file.with_file_name("").join(path))).collect();
        [Said { table, base }].into_iter().chain(included).collect()
    }

    /// The table with this name in it.
    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.table.get(name).and_then(Value::as_table)
    }
}

/// The files whose content a file takes over, the weakest first: `include = ["one.toml", { path = "another.toml" }]`.
fn included(table: &Table) -> Vec<&str> {
    let files = match table.get("include") {
        Some(Value::Array(files)) => &files[..],
        Some(file) => std::slice::from_ref(file),
        None => &[],
    };
    files.iter().filter_map(|file| file.get("path").unwrap_or(file).as_str()).collect()
}

/// The files that may be there, the one that overrules all others first.
fn files(here: &Path) -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut directories: Vec<PathBuf> = here.ancestors().map(|directory| directory.join(".cargo")).collect();
    directories.extend(home.filter(|home| !directories.contains(home)));
    let file = |directory: &PathBuf| {
        // The name without an ending is the older one, and goes first where there are both.
        ["config", "config.toml"].map(|name| directory.join(name)).into_iter().find(|file| file.is_file())
    };
    directories.iter().filter_map(file).collect()
}
