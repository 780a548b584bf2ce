//! How long is `1m 30s`, how much is `64M`, and which words does a command line have?
//!
//! The same spellings as in the arguments of `#[isotest]`, and for durations as in nextest's configuration.

use std::time::Duration;

/// Units of time in nanoseconds, each with all its names.
const TIMES: &[(&[&str], u128)] = &[
    (&["ns"], 1),
    (&["us", "µs"], 1_000),
    (&["ms"], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000_000_000),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600_000_000_000),
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["w", "week", "weeks"], 604_800_000_000_000),
    (&["y", "year", "years"], 31_557_600_000_000_000),
];

/// Units of size in bytes, as in mount options: a letter is a power of 1024.
const SIZES: &[(&[&str], u64)] = &[
    (&["", "B"], 1),
    (&["K", "k", "KiB"], 1 << 10),
    (&["M", "m", "MiB"], 1 << 20),
    (&["G", "g", "GiB"], 1 << 30),
    (&["T", "t", "TiB"], 1 << 40),
];

/// The sum of one or more quantities, such as `1m 30s`. `None` if it is none or does not fit.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut nanoseconds = 0_u128;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = number(rest)?;
        let end = after.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let quantity = u128::from(number).checked_mul(value_of(unit, TIMES)?)?;
        nanoseconds = nanoseconds.checked_add(quantity)?;
        rest = after.trim_start();
    }
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).ok()?;
    let below_a_second = u32::try_from(nanoseconds % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, below_a_second))
}

/// A number of bytes, such as `64M`. `None` if it is none or does not fit.
pub(crate) fn size(text: &str) -> Option<u64> {
    let (number, unit) = number(text.trim())?;
    number.checked_mul(value_of(unit, SIZES)?)
}

/// The whole number a text starts with, and what follows it (and its blanks).
fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest.trim_start()))
}

fn value_of<T: Copy>(unit: &str, units: &[(&[&str], T)]) -> Option<T> {
    units.iter().find(|(names, _)| names.contains(&unit)).map(|(_, value)| *value)
}

/// The words of a command line, as a shell without variables would see them. `None` where a quote is not closed.
pub(crate) fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => loop {
                match chars.next()? {
                    '\'' => break word.get_or_insert_default(),
                    other => word.get_or_insert_default().push(other),
                };
            },
            '"' => loop {
                match chars.next()? {
                    '"' => break word.get_or_insert_default(),
                    '\\' => match chars.next()? {
                        escaped @ ('"' | '\\' | '$' | '`') => word.get_or_insert_default().push(escaped),
                        other => word.get_or_insert_default().extend(['\\', other]),
                    },
                    other => word.get_or_insert_default().push(other),
                };
            },
            '\\' => {
                word.get_or_insert_default().push(chars.next()?);
                continue;
            }
            blank if blank.is_whitespace() => {
                words.extend(word.take());
                continue;
            }
            other => {
                word.get_or_insert_default().push(other);
                continue;
            }
        };
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_up() {
        for (text, expected) in [
            ("5s", Duration::from_secs(5)),
            ("500ms", Duration::from_millis(500)),
            ("1h 30m", Duration::from_secs(5400)),
            ("1m30s", Duration::from_secs(90)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(duration(text), Some(expected), "{text:?}");
        }
        for text in ["", "5", "s", "-5s", "1.5s", "5 fortnights"] {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_letter_is_a_power_of_1024() {
        assert_eq!(size("64M"), Some(64 << 20));
        assert_eq!(size("64 megabytes"), None);
    }

    #[test]
    fn words_are_those_of_a_shell() {
        let words_of = |line| words(line).map(|words| words.join("|"));
        assert_eq!(words_of("  cargo run  --bin setup "), Some("cargo|run|--bin|setup".to_owned()));
        assert_eq!(words_of(r#"a 'b c' "d \" e"f \ g ''"#), Some(r#"a|b c|d " ef| g|"#.to_owned()));
        assert_eq!(words_of("a 'b"), None);
        assert_eq!(words_of("a\\"), None);
    }
}
