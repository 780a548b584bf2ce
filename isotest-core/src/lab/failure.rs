//! What is said of a test's labs when the test has failed? It is written down when a lab is built, because the lab may be gone by then.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

static NOTES: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// What is worth nothing any more once the test is gone.
static WHILE_IT_LIVES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// How the next lab of the test is called where something is said of it.
pub(crate) fn name() -> String {
    static NAMED: AtomicUsize = AtomicUsize::new(0);
    match NAMED.fetch_add(1, Ordering::Relaxed) {
        0 => "the lab".to_owned(),
        others => format!("lab {}", others + 1),
    }
}

/// Has it said if the test fails: by [`tell`], or by whoever hears that the test was killed.
pub(crate) fn note(text: String) {
    let mut notes = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
    notes.push(text);
    crate::entry::leave(&notes);
}

/// Has it said by [`tell`] alone.
pub(crate) fn note_while_it_lives(text: String) {
    WHILE_IT_LIVES.lock().unwrap_or_else(PoisonError::into_inner).push(text);
}

/// Says it, once: the test has failed.
pub(crate) fn tell() {
    let notes = std::mem::take(&mut *NOTES.lock().unwrap_or_else(PoisonError::into_inner));
    if !notes.is_empty() {
        crate::entry::leave(&[]);
    }
    let others = std::mem::take(&mut *WHILE_IT_LIVES.lock().unwrap_or_else(PoisonError::into_inner));
    for note in notes.into_iter().chain(others) {
        eprintln!("isotest: {note}");
    }
}
