//! Keeps coverage profiles apart: process ids repeat across PID namespaces, and with them the `%p` of file names.

use crate::sys;
use crate::sys::process::SingleThreaded;

/// Where the profile runtime is told to write, as `-C instrument-coverage` documents.
const PATTERN: &str = "LLVM_PROFILE_FILE";

/// Gives this test process, and whatever it starts, profile names of their own.
pub(crate) fn separate_profiles(proof: &SingleThreaded, label: &str) {
    if let Ok(pattern) = std::env::var(PATTERN) {
        sys::env::set(proof, PATTERN, &unique(&pattern, label));
    }
}

/// A pattern that no other test's processes share. `%m` alone already merges under a lock; the rest gets a unique part.
fn unique(pattern: &str, part: &str) -> String {
    if pattern.contains("%p") {
        return pattern.replace("%p", &format!("{part}-%p"));
    }
    if merges(pattern) {
        return pattern.to_owned();
    }
    match pattern.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => format!("{stem}-{part}-%p.{extension}"),
        _ => format!("{pattern}-{part}-%p"),
    }
}

/// Whether the pattern has `%m` or `%Nm`.
fn merges(pattern: &str) -> bool {
    pattern.split('%').skip(1).any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('m'))
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn a_process_id_is_made_unique_across_namespaces() {
        assert_eq!(unique("a-%p-%16m.profraw", "7-1"), "a-7-1-%p-%16m.profraw");
    }

    #[test]
    fn a_merging_pattern_stays() {
        assert_eq!(unique("a-%16m.profraw", "7-1"), "a-%16m.profraw");
        assert_eq!(unique("a-%m", "7-1"), "a-%m");
    }

    #[test]
    fn a_fixed_name_is_made_unique() {
        assert_eq!(unique("d.x/cov", "7-1"), "d.x/cov-7-1-%p");
        assert_eq!(unique("d/cov.profraw", "7-1"), "d/cov-7-1-%p.profraw");
    }
}
