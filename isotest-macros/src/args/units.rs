//! How long is `1m 30s`, and how much is `64M`?

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
pub(super) fn duration(text: &str) -> Option<Duration> {
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
pub(super) fn size(text: &str) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_up() {
        for (text, expected) in [
            ("5s", Duration::from_secs(5)),
            ("500ms", Duration::from_millis(500)),
            ("2m", Duration::from_secs(120)),
            ("1h", Duration::from_secs(3600)),
            ("1m 30s", Duration::from_secs(90)),
            ("1m30s", Duration::from_secs(90)),
            (" 1 min  30 seconds ", Duration::from_secs(90)),
            ("0s", Duration::ZERO),
            ("18446744073709551615s", Duration::from_secs(u64::MAX)),
        ] {
            assert_eq!(duration(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", " ", "5", "s", "-5s", "1.5s", "5 fortnights", "5s,", "1m 30", "18446744073709551615s 1s"] {
            assert_eq!(duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_letter_is_a_power_of_1024() {
        for (text, expected) in [
            ("4096", 4096),
            ("4096B", 4096),
            ("512K", 512 << 10),
            ("64M", 64 << 20),
            ("64 MiB", 64 << 20),
            ("1g", 1 << 30),
            ("0", 0),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(size(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "M", "64MB", "64 megabytes", "-1", "1.5G", "50%", "1M 1K", "18446744073709551616", "16777216T"]
        {
            assert_eq!(size(text), None, "{text:?}");
        }
    }
}
