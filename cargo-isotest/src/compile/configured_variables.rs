//! Which variables is cargo configured to set (`[env]`)? As the Cargo Book describes them under "Configuration".

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use toml::{Table, Value};

use super::cargo_config::CargoConfig;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    /// Whether it is stronger than the caller's.
    force: bool,
}

impl Variable {
    /// Whether cargo would set it beside these.
    pub(super) fn holds(&self, set_by_cargo: &[(String, String)]) -> bool {
        let set_by_caller = || env::var_os(&self.name).is_some();
        !set_by_cargo.iter().any(|(name, _)| *name == self.name) && (self.force || !set_by_caller())
    }
}

impl CargoConfig {
    /// All of them. What one table leaves open of a variable may stand in a weaker one.
    pub(super) fn variables(&self) -> Vec<Variable> {
        let mut tables: BTreeMap<&str, Vec<(&Value, &Path)>> = BTreeMap::new();
        for (table, base) in self.tables("env") {
            for (name, said) in table {
                tables.entry(name).or_default().push((said, base));
            }
        }
        tables.into_iter().filter_map(|(name, said)| variable(name, &said)).collect()
    }
}

fn variable(name: &str, said: &[(&Value, &Path)]) -> Option<Variable> {
    let word_on = |key: &str| said.iter().find_map(|(said, _)| said.as_table().and_then(|said: &Table| said.get(key)));
    let is_on = |key: &str| word_on(key).and_then(Value::as_bool).unwrap_or(false);
    let value = |said: &Value| said.get("value").unwrap_or(said).as_str().map(str::to_owned);
    let (value, base) = said.iter().find_map(|(said, base)| Some((value(said)?, base)))?;
    let value = if is_on("relative") { base.join(value).display().to_string() } else { value };
    Some(Variable { name: name.to_owned(), value, force: is_on("force") })
}
