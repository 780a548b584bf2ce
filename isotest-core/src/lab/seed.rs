//! From which number does all chance in a lab follow?

use std::hash::{BuildHasher, RandomState};

use super::error::{Error, Result};

/// The variable that sets it.
const VARIABLE: &str = "ISOTEST_SEED";

/// What the user says, or any.
pub(crate) fn choose() -> Result<u64> {
    let Some(said) = std::env::var_os(VARIABLE) else {
        return Ok(RandomState::new().hash_one(0));
    };
    let number = said.to_str().and_then(|said| said.parse().ok());
    number.ok_or_else(|| {
        let cause = format!("{VARIABLE} is {said:?}, which is no number from 0 to {}", u64::MAX);
        Error::new("making a lab", cause).remedy("set it to the number that a failed run printed, or unset it")
    })
}

/// How to make the same things happen again.
pub(crate) fn told(seed: u64) -> String {
    format!("the lab's seed was {seed}; {VARIABLE}={seed} makes the same packets suffer the same")
}
