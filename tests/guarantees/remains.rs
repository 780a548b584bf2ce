//! What of a run is still on the machine?

use std::time::{Duration, Instant};

/// The processes that have `words` among their arguments.
pub(crate) fn processes_with(words: &str) -> Vec<String> {
    let with_words = |id: &u32| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(words).then(|| format!("{id} {line}"))
    };
    every_process().filter_map(|id| with_words(&id)).collect()
}

/// Every process that /proc shows.
pub(crate) fn every_process() -> impl Iterator<Item = u32> {
    let listed = std::fs::read_dir("/proc").expect("a directory");
    listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Waits until there is nothing left to find. The kernel takes a moment to end a PID namespace after the test's
/// verdict is known, and tells nobody outside.
pub(crate) fn nothing_stays<R: std::fmt::Debug>(find: impl Fn() -> Vec<R>) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let found = find();
        if found.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "still there: {found:?}");
        std::thread::yield_now();
    }
}
