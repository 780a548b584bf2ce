//! Are there documentation tests, which this program does not run? Whoever relies on them must know.

use std::path::{Path, PathBuf};

/// The names of those packages, of the given names and roots, that have documentation tests.
///
/// Only rustdoc knows for certain, and needs as long as a build to say so. A fenced block in a documentation comment that is not
/// marked as something else than Rust to be run is taken for one.
pub(crate) fn packages_with_any(libraries: &[(String, PathBuf)]) -> Vec<&str> {
    libraries.iter().filter(|(_, root)| any_below(&root.join("src"))).map(|(name, _)| name.as_str()).collect()
}

fn any_below(directory: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => any_below(&path),
            Ok(kind) if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") => {
                std::fs::read_to_string(&path).is_ok_and(|source| has_any(&source))
            }
            _ => false,
        }
    })
}

fn has_any(source: &str) -> bool {
    let mut inside = false;
    source.lines().map(str::trim_start).any(|line| {
        let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { return false };
        let Some(marks) = text.trim().strip_prefix("```") else { return false };
        inside = !inside;
        inside
            && marks
                .split([',', ' '])
                .all(|mark| matches!(mark, "" | "rust" | "should_panic" | "no_run" | "compile_fail"))
    })
}

#[cfg(test)]
mod tests {
    use super::has_any;

    #[test]
    fn a_block_of_rust_in_a_documentation_comment_is_one() {
        assert!(has_any("/// Text.\n///\n/// ```\n/// f();\n/// ```\nfn f() {}"));
        assert!(has_any("    //! ```rust,should_panic\n    //! f();\n    //! ```"));
    }

    #[test]
    fn other_blocks_and_other_comments_are_none() {
        assert!(!has_any("/// ```text\n/// f();\n/// ```\nfn f() {}"));
        assert!(!has_any("/// ```ignore\n/// f();\n/// ```\nfn f() {}"));
        assert!(!has_any("// ```\n// f();\n// ```"));
    }
}
