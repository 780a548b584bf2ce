//! Values that several options take.

use std::time::Duration;

/// A length of time: a whole number and a unit, any number of them: `5s`, `1m 30s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(WANTED.to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, from_unit) = rest.split_at(digits);
        let letters = from_unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(from_unit.len());
        let (unit, after) = from_unit.split_at(letters);
        let milliseconds = match unit {
            "ms" => 1,
            "s" | "sec" | "secs" => 1_000,
            "m" | "min" | "mins" => 60_000,
            "h" | "hr" | "hrs" => 3_600_000,
            "d" | "day" | "days" => 86_400_000,
            _ => return Err(WANTED.to_owned()),
        };
        let number: u64 = number.parse().map_err(|_| WANTED.to_owned())?;
        let part = number.checked_mul(milliseconds).map(Duration::from_millis);
        total = part.and_then(|part| total.checked_add(part)).ok_or("that is longer than a duration can be")?;
        rest = after.trim_start();
    }
    match total {
        Duration::ZERO => Err("it must be more than zero".to_owned()),
        total => Ok(total),
    }
}

const WANTED: &str = "a duration is a whole number and a unit, one of ms, s, m, h, d, as in `5s` or `1m 30s`";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn a_duration_has_numbers_and_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for wrong in ["", "5", "s", "-1s", "1.5s", "5 parsecs"] {
            assert!(duration(wrong).is_err_and(|problem| problem.contains("`5s`")), "{wrong:?}");
        }
        assert!(duration("0s").is_err());
        assert!(duration("99999999999999999999d").is_err());
    }
}
