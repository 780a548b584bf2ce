//! What does a harness answer to `--list --format terse`?

use std::collections::HashSet;

use crate::interrupt::Keep;

/// What is longer is no list: a main that hears no arguments may write without end, and nobody has so many tests.
const LONGEST: usize = 64 << 20;

/// As much as has to be read of an answer.
pub(super) const KEPT: Keep = Keep::First(LONGEST + 1);

/// The names in an answer, each once, though an attribute on top of `#[test]` may have entered a function twice. `None` where
/// the answer is none: what was asked does not keep to libtest's convention.
pub(super) fn names(answer: &str) -> Option<Vec<&str>> {
    if answer.len() > LONGEST {
        return None;
    }
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for line in answer.lines().filter(|line| !line.is_empty()) {
        match line.rsplit_once(": ") {
            Some((name, "test" | "benchmark")) if seen.insert(name) => names.push(name),
            Some((_, "test" | "benchmark")) => {}
            _ => return None,
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_test_is_named_on_a_line_of_its_own() {
        let listed = names("a: test\nb::c: test\nd e: 1: test\nbench: benchmark\na: test\n");
        assert_eq!(listed.expect("an answer"), ["a", "b::c", "d e: 1", "bench"]);
        assert_eq!(names(""), Some(Vec::new()));
    }

    #[test]
    fn anything_else_is_no_answer() {
        assert_eq!(names("a: test\nhello\n"), None);
        assert_eq!(names("test\n"), None);
        assert_eq!(names(&"a: test\n".repeat(super::LONGEST / 8 + 1)), None);
    }
}
