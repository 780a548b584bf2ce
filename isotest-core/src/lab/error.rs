//! What goes wrong in a lab, in words: what was attempted, why it failed, what to do.

use std::fmt;
use std::io;

use nix::errno::Errno;

use crate::netlink::Refusal;

/// Why something in a lab could not be done. It reads the same as `Display` and as `Debug`, which is what a test that
/// returns it prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    attempted: String,
    cause: String,
    remedy: Option<String>,
}

const MORE_FILES: &str = "raise the limit of open files (`ulimit -n`): a lab takes up to nine for each host";

/// What a lab's functions return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What was attempted, and why it failed.
    pub(crate) fn new(attempted: impl Into<String>, cause: impl Into<String>) -> Error {
        Error { attempted: attempted.into(), cause: cause.into(), remedy: None }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Error {
        self.remedy = Some(remedy.into());
        self
    }

    /// Its parts, for another process.
    pub(crate) fn into_parts(self) -> (String, String, Option<String>) {
        (self.attempted, self.cause, self.remedy)
    }

    /// From [`Error::into_parts`].
    pub(crate) fn from_parts((attempted, cause, remedy): (String, String, Option<String>)) -> Error {
        Error { attempted, cause, remedy }
    }

    /// The kernel's no to a system call.
    pub(crate) fn kernel(attempted: impl Into<String>, errno: Errno) -> Error {
        let error = Error::new(attempted, explained(errno));
        match errno {
            Errno::EPERM | Errno::EACCES => error.remedy(
                "building networks takes CAP_NET_ADMIN and CAP_SYS_ADMIN over the test's own namespaces, which `#[isotest]` \
                 gives: don't drop them before the lab is up",
            ),
            Errno::EMFILE => error.remedy(MORE_FILES),
            Errno::ENOSPC => error.remedy("the limit of namespaces is reached: see /proc/sys/user/max_net_namespaces"),
            _ => error,
        }
    }

    /// The kernel's no to something of the standard library's.
    pub(crate) fn io(attempted: impl Into<String>, why: &io::Error) -> Error {
        let error = Error::new(attempted, why.to_string());
        if why.raw_os_error() == Some(libc::EMFILE) { error.remedy(MORE_FILES) } else { error }
    }

    /// The kernel's no to a netlink message.
    pub(crate) fn refused(attempted: impl Into<String>, refusal: &Refusal) -> Error {
        let mut error = Error::kernel(attempted, refusal.errno);
        if let Some(words) = &refusal.words {
            error.cause = format!("{} ({words})", error.cause);
        }
        error
    }

    /// Says which module a kernel lacks that knows no device, or subsystem, of this kind.
    #[must_use]
    pub(crate) fn unless_kernel_has(self, errno: Errno, module: &str, option: &str) -> Error {
        let remedy = format!("load the module (`modprobe {module}`), or use a kernel with {option}");
        self.unless_kernel_can(errno, module, &remedy)
    }

    /// Says what a kernel lacks that is no module of its own.
    #[must_use]
    pub(crate) fn unless_kernel_can(mut self, errno: Errno, what: &str, remedy: &str) -> Error {
        if matches!(errno, Errno::EOPNOTSUPP | Errno::EPROTONOSUPPORT | Errno::EAFNOSUPPORT | Errno::ENODEV) {
            self.cause = format!("this kernel has no {what} ({errno})");
            self.remedy = Some(remedy.to_owned());
        }
        self
    }

    /// Says which module a kernel lacks that does not know a queueing discipline.
    #[must_use]
    pub(crate) fn unless_kernel_knows(mut self, errno: Errno, module: &str) -> Error {
        if errno == Errno::ENOENT {
            self.cause = format!("this kernel has no {module} ({errno})");
            self.remedy =
                Some(format!("load the module (`modprobe {module}`), or leave the lab's faults to `Engine::Lab`"));
        }
        self
    }
}

fn explained(errno: Errno) -> String {
    format!("{errno:?}, {}", errno.desc())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attempted, self.cause)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
