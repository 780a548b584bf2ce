//! What happens to a test that this machine cannot isolate: the user's choice, `ISOTEST_UNAVAILABLE`.

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
        match std::env::var_os("ISOTEST_UNAVAILABLE") {
            None => Ok(Unavailable::Fail),
            Some(word) if word == "fail" => Ok(Unavailable::Fail),
            Some(word) if word == "skip" => Ok(Unavailable::Skip),
            Some(word) if word == "run" => Ok(Unavailable::Run),
            Some(word) => Err(format!("ISOTEST_UNAVAILABLE is {word:?}, but must be one of fail, skip, run")),
        }
    }
}
