//! Is docs/configuration.md true, and is it complete? And what other pages show of a configuration?

use std::collections::HashSet;

use toml::Value;

use super::super::Config;

fn page(name: &str) -> String {
    let path = format!("{}/../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The TOML blocks of the page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn every_block_of_the_pages_is_a_configuration() {
    for (name, at_least) in [("configuration.md", 6), ("from-nextest.md", 1), ("ci.md", 1), ("from-cargo-test.md", 1)] {
        let page = page(name);
        let blocks = blocks(&page);
        assert!(blocks.len() >= at_least, "these can't be all blocks of {name}: {}", blocks.len());
        for block in blocks {
            Config::parse(name, block.to_owned()).unwrap_or_else(|wrong| panic!("{wrong}\n\n{block}"));
        }
    }
}

#[test]
fn every_key_is_described_and_has_an_example() {
    let page = page("configuration.md");
    let examples = blocks(&page).join("\n");
    let everything: Value = include_str!("everything.toml").parse::<toml::Table>().expect("TOML").into();
    let mut keys = Vec::new();
    collect(&everything, &mut keys);
    assert!(keys.len() > 60, "these can't be all keys: {}", keys.len());
    let code = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let prose: Vec<_> = page.split("```").step_by(2).flat_map(code).collect();
    let described: HashSet<&str> = prose.iter().flat_map(|text| text.split(|c: char| !is_of_a_key(c))).collect();
    let exemplified: HashSet<&str> = examples.split(|c: char| !is_of_a_key(c)).collect();
    for key in keys.iter().map(String::as_str).filter(|key| !NAMES.contains(key)) {
        assert!(described.contains(key), "{key} is not described");
        assert!(exemplified.contains(key), "{key} has no example");
    }
}

fn is_of_a_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// Names that the file chooses, and so no keys.
const NAMES: [&str; 10] =
    ["database", "heavy", "light", "certificates", "built", "LEVEL", "default", "RUST_BACKTRACE", "ci", "strict"];

fn collect(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| {
            keys.push(key.clone());
            collect(value, keys);
        }),
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, keys)),
        _ => {}
    }
}
