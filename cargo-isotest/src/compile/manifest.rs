//! What does a package's Cargo.toml say of a target that `cargo metadata` does not?

use std::path::Path;

use toml::{Table, Value};

/// Whether `harness = false` stands at this target.
pub(super) fn has_harness_of_its_own(manifest: &Path, kind: &str, name: &str) -> bool {
    let manifest = std::fs::read_to_string(manifest).ok().and_then(|text| text.parse::<Table>().ok());
    manifest.is_some_and(|manifest| says_so(&manifest, kind, name))
}

fn says_so(manifest: &Table, kind: &str, name: &str) -> bool {
    let off = |target: &Value| target.get("harness").and_then(Value::as_bool) == Some(false);
    let named = |target: &&Value| target.get("name").and_then(Value::as_str) == Some(name);
    match manifest.get(kind) {
        Some(Value::Array(targets)) => targets.iter().find(named).is_some_and(off),
        Some(library) => off(library),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::says_so;

    #[test]
    fn a_target_has_a_harness_of_its_own_where_that_is_said() {
        let manifest = "[lib]\nharness = false\n[[test]]\nname = 'a'\nharness = false\n[[test]]\nname = 'b'\n";
        let manifest = manifest.parse().expect("TOML");
        let says = |kind, name| says_so(&manifest, kind, name);
        assert_eq!(
            [says("lib", "x"), says("test", "a"), says("test", "b"), says("bench", "a")],
            [true, true, false, false]
        );
    }
}
