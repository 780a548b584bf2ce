//! Whatever the file contains, reading it ends with a configuration or with mistakes.

use super::here;
use crate::config::Config;
use crate::filterset::Packages;

/// All that can be written, in one file.
const EVERYTHING: &str = include_str!("everything.toml");

#[test]
fn everything_that_can_be_written_is_read() {
    Config::parse("everything.toml", EVERYTHING.to_owned()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
}

#[test]
fn a_file_that_ends_anywhere_is_survived() {
    for (end, _) in EVERYTHING.char_indices().step_by(3) {
        survives(EVERYTHING[..end].to_owned());
    }
}

#[test]
fn a_file_with_random_changes_is_survived() {
    let mut random = fastrand::Rng::with_seed(1);
    let scraps = [
        "\"", "'", "[", "]", "{", "}", "=", "\n", "\\", "é", "\t", "0", "-1", "true", ".", "#", "(", ")", "\u{0}", "🦀",
    ];
    for _ in 0..1_000 {
        let mut chars: Vec<char> = EVERYTHING.chars().collect();
        for _ in 0..random.usize(1..8) {
            let at = random.usize(..chars.len());
            match random.u8(..3) {
                0 => drop(chars.drain(at..(at + random.usize(1..20)).min(chars.len()))),
                1 => drop(chars.splice(at..at, scraps[random.usize(..scraps.len())].chars())),
                _ => {
                    let other = random.usize(..chars.len());
                    chars.swap(at, other);
                }
            }
        }
        survives(chars.into_iter().collect());
    }
}

/// Mistakes are rendered as well (they slice the text), and what has none is understood.
fn survives(text: String) {
    let mistakes = match Config::parse("isotest.toml", text) {
        Err(mistakes) => mistakes,
        Ok(config) => {
            let understand = |name| config.profile(name, &Packages::none(), here(), Default::default()).err();
            let Some(mistakes) = config.profile_names().find_map(understand) else { return };
            mistakes
        }
    };
    assert!(!mistakes.to_string().is_empty());
}
