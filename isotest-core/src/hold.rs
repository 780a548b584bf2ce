//! How does somebody get into the sandbox of a test that has failed, or hangs?
//!
//! A sandbox ends with its test, and there is nothing to enter then. With `ISOTEST_HOLD=1` a test that has failed goes on until it is
//! killed, and says by which command (`nsenter(1)`) one gets to where it is.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, readlinkat};
use nix::sched::CloneFlags;
use nix::sys::stat::Mode;

/// Whoever sets it wants failed tests to be held.
const ASKED: &str = "ISOTEST_HOLD";

/// What a test process is told then: its process id outside, and its namespaces in nsenter's letters.
pub(crate) const KNOWN_AS: &str = "ISOTEST_HELD";

/// Whether failed tests are to be held. Then their output is to be seen as it comes, or nobody would know.
#[must_use]
pub fn is_asked() -> bool {
    let not = |value: &str| ["", "0", "false", "no", "off"].contains(&value.to_ascii_lowercase().as_str());
    std::env::var_os(ASKED).is_some_and(|value| !value.to_str().is_some_and(not))
}

/// The /proc from outside of the sandbox, which shows a process by the number that it has there.
#[derive(Debug)]
pub(crate) struct Outside(OwnedFd);

impl Outside {
    /// To be called before another /proc is mounted. `None` where nobody is to be held.
    pub(crate) fn look() -> nix::Result<Option<Outside>> {
        if !is_asked() {
            return Ok(None);
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Some(Outside(open("/proc", flags, Mode::empty())?)))
    }

    /// What the calling process is to be told, whose own namespaces are these.
    pub(crate) fn known_as(&self, own: CloneFlags) -> nix::Result<String> {
        let process = readlinkat(&self.0, "self")?.into_string().map_err(|_| Errno::EINVAL)?;
        let letters: String =
            LETTERS.iter().filter(|(flag, _)| own.contains(*flag)).map(|(_, letter)| letter).collect();
        Ok(format!("{process} {letters}"))
    }
}

/// In the order in which they have to be entered.
const LETTERS: [(CloneFlags, char); 6] = [
    (CloneFlags::CLONE_NEWUSER, 'U'),
    (CloneFlags::CLONE_NEWNET, 'n'),
    (CloneFlags::CLONE_NEWNS, 'm'),
    (CloneFlags::CLONE_NEWUTS, 'u'),
    (CloneFlags::CLONE_NEWIPC, 'i'),
    (CloneFlags::CLONE_NEWPID, 'p'),
];

/// The command that leads to where this process is; `None` where nobody asked for it.
pub(crate) fn command() -> Option<String> {
    command_with(&[])
}

/// The same with other namespaces in place of some of its own: by letter, and by a descriptor of this process.
pub(crate) fn command_with(others: &[(char, &dyn AsRawFd)]) -> Option<String> {
    let known_as = std::env::var(KNOWN_AS).ok()?;
    let (process, letters) = known_as.split_once(' ')?;
    let words = letters.chars().map(|letter| match others.iter().find(|(other, _)| *other == letter) {
        Some((_, descriptor)) => format!(" -{letter}/proc/{process}/fd/{}", descriptor.as_raw_fd()),
        None => format!(" -{letter}"),
    });
    // Without the first option it would drop groups, which an ordinary user may not.
    Some(format!("nsenter --preserve-credentials -t {process}{}", words.collect::<String>()))
}

/// Keeps the test as it is, for good.
pub(crate) fn wait() -> ! {
    let way = command()
        .map_or_else(|| "there is no way known into it".to_owned(), |command| format!("one enters it by\n  {command}"));
    eprintln!("isotest: the test has failed, and is held until it is killed (Ctrl-C), because {ASKED} is set; {way}");
    loop {
        std::thread::park();
    }
}
