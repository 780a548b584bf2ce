//! What happens to a test that this machine cannot isolate: the user's choice, `ISOTEST_UNAVAILABLE`.

use std::ffi::OsStr;

/// The choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The test fails and says why: never less isolation than asked for.
    Fail,
    /// The test is left out, and counted.
    Skip,
    /// The test runs without isolation, and is counted.
    Run,
}

impl Unavailable {
    /// Reads the choice from the environment; failing is the default.
    ///
    /// # Errors
    ///
    /// When the variable is set to something else than `fail`, `skip` or `run`.
    pub fn chosen() -> Result<Unavailable, String> {
        std::env::var_os("ISOTEST_UNAVAILABLE").map_or(Ok(Unavailable::Fail), |word| Unavailable::parse(&word))
    }

    fn parse(word: &OsStr) -> Result<Unavailable, String> {
        match word.to_str() {
            // Engines of CI write a variable so that is not set.
            Some("" | "fail") => Ok(Unavailable::Fail),
            Some("skip") => Ok(Unavailable::Skip),
            Some("run") => Ok(Unavailable::Run),
            _ => Err(format!("ISOTEST_UNAVAILABLE is {word:?}, but must be one of fail, skip, run")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Unavailable;

    #[test]
    fn each_word_is_a_choice() {
        let choices = ["fail", "skip", "run"].map(|word| Unavailable::parse(word.as_ref()));
        assert_eq!(choices, [Ok(Unavailable::Fail), Ok(Unavailable::Skip), Ok(Unavailable::Run)]);
        assert_eq!(Unavailable::parse("".as_ref()), Ok(Unavailable::Fail));
    }

    #[test]
    fn another_word_is_an_error_that_names_the_choices() {
        let problem = Unavailable::parse("Skip".as_ref());
        assert_eq!(problem, Err("ISOTEST_UNAVAILABLE is \"Skip\", but must be one of fail, skip, run".to_owned()));
    }
}
