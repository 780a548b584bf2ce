//! What is said of a test's labs when the test has failed? It is written down when a lab is built, because the lab may be gone by then.

use std::sync::{Mutex, PoisonError};

static NOTES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Has it said if the test fails.
pub(crate) fn note(text: String) {
    NOTES.lock().unwrap_or_else(PoisonError::into_inner).push(text);
}

/// Says it, once: the test has failed.
pub(crate) fn tell() {
    for note in std::mem::take(&mut *NOTES.lock().unwrap_or_else(PoisonError::into_inner)) {
        eprintln!("{note}");
    }
}
