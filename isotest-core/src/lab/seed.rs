//! From which number does all chance in a lab follow?

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use super::error::{Error, Result};

/// The variable that sets it.
const VARIABLE: &str = "ISOTEST_SEED";

/// What the user says, or any: the same for all labs of a test, because so is what the user can say.
pub(crate) fn choose() -> Result<u64> {
    static ANY: OnceLock<u64> = OnceLock::new();
    let Some(said) = std::env::var_os(VARIABLE) else {
        return Ok(*ANY.get_or_init(|| RandomState::new().hash_one(0)));
    };
    let number = said.to_str().and_then(|said| said.parse().ok());
    number.ok_or_else(|| {
        let cause = format!("{VARIABLE} is {said:?}, which is no number from 0 to {}", u64::MAX);
        Error::new("making a lab", cause).remedy("set it to the number that a failed run printed, or unset it")
    })
}

/// How to make the same things happen again in a lab that is called so.
pub(crate) fn told(lab: &str, seed: u64) -> String {
    format!("{lab}'s seed was {seed}; {VARIABLE}={seed} makes the same packets suffer the same")
}
