//! How does a test enter yet another namespace, inside the sandbox it has already?

use nix::sched::{CloneFlags, unshare};

/// Does `work` on a thread that has entered new namespaces, `unshare(2)`. The test itself stays where it is; programs
/// that `work` starts are born where the thread is.
pub(crate) fn in_new<T: Send>(namespaces: CloneFlags, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|threads| {
        let thread = threads.spawn(|| {
            unshare(namespaces).expect("a test may make namespaces in its own sandbox");
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
