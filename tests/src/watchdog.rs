//! Nothing here waits for ever: who does not say what is waited for is an error with a name.

use std::io::Write;
use std::os::fd::AsFd;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// So long nobody is silent, on any machine, even one who builds something first.
const TOO_SILENT: Duration = Duration::from_secs(10 * 60);

/// So many minutes no binary of tests takes, with all that it builds, unless this variable says how many.
const TOO_LONG: u64 = 25;
const MINUTES: &str = "TESTS_TAKE_AT_MOST";

/// Waits until there is something to read, or the end.
///
/// # Panics
///
/// When neither comes.
#[track_caller]
pub fn readable(stream: &impl AsFd, heard: &[u8]) {
    let limit = PollTimeout::try_from(TOO_SILENT).expect("the limit fits");
    loop {
        match poll(&mut [PollFd::new(stream.as_fd(), PollFlags::POLLIN)], limit) {
            Ok(0) => panic!("nothing more comes after {:?}", String::from_utf8_lossy(heard)),
            Ok(_) => return,
            Err(Errno::EINTR) => {}
            Err(errno) => panic!("it can't be waited for: {errno}"),
        }
    }
}

/// Ends these tests when they do not end by themselves. libtest has told by then which of them has not come to its end.
pub(crate) fn watch() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        let said = std::env::var(MINUTES).ok().and_then(|minutes| minutes.parse().ok());
        let minutes = said.unwrap_or(TOO_LONG);
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(60 * minutes));
            // Directly, because libtest would keep it to itself.
            writeln!(
                std::io::stderr(),
                "these tests have not ended in {minutes} minutes ({MINUTES}): one of them hangs"
            )
            .ok();
            std::process::abort();
        });
    });
}
