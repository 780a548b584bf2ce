//! A moment as programs write it: RFC 3339, in UTC, to the millisecond.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Formats one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(pub(crate) SystemTime);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A clock that is set to before 1970 is wrong anyhow.
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (seconds, days) = (since.as_secs() % 86_400, since.as_secs() / 86_400);
        let (year, month, day) = date(days);
        write!(f, "{year:04}-{month:02}-{day:02}T")?;
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        write!(f, ".{:03}+00:00", since.subsec_millis())
    }
}

/// The date so many days after 1970-01-01. A year is counted from March, so that the day that some years have more comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // Since 0000-03-01.
    let (era, of_era) = (days / 146_097, days % 146_097); // Of 400 years.
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + years + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Moment;

    #[test]
    fn moments_are_those_of_the_calendar() {
        let at = |milliseconds| Moment(UNIX_EPOCH + Duration::from_millis(milliseconds)).to_string();
        assert_eq!(at(0), "1970-01-01T00:00:00.000+00:00");
        assert_eq!(at(951_782_400_000), "2000-02-29T00:00:00.000+00:00");
        assert_eq!(at(951_868_799_999), "2000-02-29T23:59:59.999+00:00");
        assert_eq!(at(951_868_800_000), "2000-03-01T00:00:00.000+00:00");
        assert_eq!(at(1_767_225_599_007), "2025-12-31T23:59:59.007+00:00");
        assert_eq!(at(4_107_542_400_000), "2100-03-01T00:00:00.000+00:00");
    }
}
