//! What does init tell the client when a test is over?
//!
//! Everything that a test could make long is cut: texts at [`Process::TEXT`] bytes, lists at the lengths that stand beside them. What is
//! left out is still counted. So it fits into one packet, but for a long list of destinations, with which it travels as a file.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::egress::Destination;
use crate::outcome::{End, Failure, Word};

/// What init saw of one test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How the test process ended.
    pub end: End,
    /// What the `#[isotest]` wrapper inside said of the body.
    pub word: Word,
    /// What the test was kept apart by.
    pub isolation: InForce,
    /// The processes that it left behind. None are named of a test that init had to end.
    #[serde(default, skip_serializing_if = "LeftOver::is_none")]
    pub left_over: LeftOver,
    /// What it left in its private directories. Nothing is, as above.
    #[serde(default, skip_serializing_if = "LeftFiles::is_none")]
    pub files: LeftFiles,
    /// How many times it, or what it started, tried to reach an address for which its network has no way. `None` where
    /// it shares the caller's network.
    pub egress: Option<u64>,
    /// What kept init from seeing all of these attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_unseen: Option<Failure>,
    /// Where to, with the number of attempts each, and how many are left out; where the spec asks for it.
    #[serde(default, skip_serializing_if = "Destinations::is_none")]
    pub destinations: Destinations,
    /// What was to be told of its labs if the body never came to its end, and it did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labs: Vec<String>,
    /// What came of capturing the packets on its network. `None` where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Captured>,
    /// What it used.
    pub usage: Usage,
}

impl Report {
    /// For a test of which there is nothing more to say: it never started.
    pub(crate) fn of_nothing_but(end: End) -> Report {
        Report {
            end,
            word: Word::None,
            isolation: InForce::default(),
            left_over: LeftOver::default(),
            files: LeftFiles::default(),
            egress: None,
            egress_unseen: None,
            destinations: Destinations::default(),
            labs: Vec::new(),
            captured: None,
            usage: Usage::default(),
        }
    }

    /// Whether no process of the sandbox was left that could do anything: the test ended by itself, and there was none
    /// beside it. Where the test shares the caller's processes nobody knows.
    #[must_use]
    pub fn left_nobody(&self) -> bool {
        let ended_by_itself = matches!(self.end, End::Exited(_) | End::Signalled(_));
        ended_by_itself && self.left_over.count == 0 && self.isolation.namespaces.contains(&Kind::Pid)
    }
}

/// The isolation that was really there, whatever was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The namespaces that were the test's own, in the order of [`Kind`]. None where it ran without a sandbox.
    pub namespaces: Vec<Kind>,
    /// Whether root's real rights did what a user namespace does otherwise, because root may not make one here.
    pub real_root: bool,
}

/// A kind of namespace, by its name under `/proc/PID/ns`, `namespaces(7)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// User and group ids, and what may be done with them.
    User,
    /// Process ids.
    Pid,
    /// Mounts.
    Mnt,
    /// Network.
    Net,
    /// Host name.
    Uts,
    /// System V and POSIX message queues, semaphores, shared memory.
    Ipc,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::User => "user",
            Kind::Pid => "pid",
            Kind::Mnt => "mnt",
            Kind::Net => "net",
            Kind::Uts => "uts",
            Kind::Ipc => "ipc",
        })
    }
}

/// The processes that were still running when the test process had ended. Those that had ended already, or had begun
/// to, do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOver {
    /// How many there were.
    pub count: usize,
    /// The first of them, by process id.
    pub processes: Vec<Process>,
}

impl LeftOver {
    /// How many are described.
    pub const DESCRIBED: usize = 16;

    /// Whether there were none: the usual case, which is not worth the words.
    fn is_none(&self) -> bool {
        self.count == 0
    }
}

/// A process that a test left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id in the sandbox.
    pub pid: i32,
    /// Its arguments, its own name first; together at most [`Process::TEXT`] bytes. One that has none goes by its short name,
    /// a copy of the test process by the test binary's alone.
    pub argv: Vec<String>,
    /// For how long it has run.
    pub age: Duration,
    /// Where it can be reached, at most [`Process::PORTS`].
    pub ports: Vec<Port>,
}

impl Process {
    /// How many bytes of its arguments, and likewise of a path or a socket's name, are kept.
    pub const TEXT: usize = 256;
    /// How many of its sockets are named.
    pub const PORTS: usize = 4;
}

/// A socket at which somebody may knock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// What is spoken there.
    pub protocol: Protocol,
    /// `127.0.0.1:80`, `[::1]:80`, a path, or `@name` for an abstract socket.
    pub address: String,
}

/// What is spoken at a [`Port`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// A TCP socket that listens.
    Tcp,
    /// A UDP socket that is bound and connected to nobody.
    Udp,
    /// A Unix socket that listens.
    Unix,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Unix => "unix",
        };
        write!(f, "{protocol} {}", self.address)
    }
}

/// What was left in the private directories (`/tmp`, `/var/tmp`, `/dev/shm`, `/run`, `$TMPDIR`): files, directories
/// and all else that has a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftFiles {
    /// How many there were; counting ends at [`LeftFiles::COUNTED`].
    pub count: usize,
    /// The first of them.
    pub paths: Vec<String>,
}

impl LeftFiles {
    /// How many are named.
    pub const NAMED: usize = 8;
    /// How many are counted: to count a million would take longer than the test.
    pub const COUNTED: usize = 10_000;

    /// As [`LeftOver::is_none`].
    fn is_none(&self) -> bool {
        self.count == 0
    }
}

/// What the test process used, together with all whose end it or init has waited for, `getrusage(2)`. What is still
/// running when the test ends is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Time on a processor in programs.
    pub user: Duration,
    /// Time on a processor in the kernel for them.
    pub system: Duration,
    /// The most memory, in bytes, that a *single one* of these processes had at once (`ru_maxrss`): not the sum. The
    /// test process shares the test binary's pages with its fork server, and they are counted.
    pub peak_memory: u64,
}

/// Where a test tried to go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destinations {
    /// Each, from each host. Those that the spec does not allow stand first.
    pub told: Vec<Tried>,
    /// How many more there were; counting ends at 65,536.
    pub left_out: usize,
    /// Whether one of these is not allowed.
    pub left_out_forbidden: bool,
}

impl Destinations {
    /// How many are told apart.
    pub const TOLD: usize = 1000;

    /// As [`LeftOver::is_none`].
    fn is_none(&self) -> bool {
        self.told.is_empty()
    }
}

/// Attempts of one host to reach one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Which.
    pub to: Destination,
    /// The host of a lab that it came from; `None` for the test's own network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How many.
    pub attempts: u64,
}

/// What came of capturing the packets on a test's network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// How many are in the file.
    pub packets: u64,
    /// How many are not, because there was no room in the kernel's queue, or in the file.
    pub missed: u64,
    /// Whether the file ends before the test did, because it had become as large as it may, or could not be written any more.
    pub cut: bool,
}

/// Text for a report: readable, without what would disturb a terminal, and not longer than [`Process::TEXT`].
pub(crate) fn cut(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(Process::TEXT)]);
    let shown = text.chars().map(|c| match c {
        c if c.is_whitespace() => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    let mut cut = String::new();
    for c in shown {
        if cut.len() + c.len_utf8() > Process::TEXT {
            break;
        }
        cut.push(c);
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_fits_into_a_packet_whatever_the_test_does() {
        // The longest that JSON makes of a byte that `cut` lets through is two bytes.
        let text = || cut(&[b'"'; 1000]);
        let port = Port { protocol: Protocol::Unix, address: text() };
        let ports = vec![port; Process::PORTS];
        let process = Process { pid: i32::MAX, argv: vec![text()], age: Duration::MAX, ports };
        let word = Word::Panicked(Some("\u{1}".repeat(24 * 1024))); // What `sys::word` keeps of a message.
        let report = Report {
            word,
            left_over: LeftOver { count: usize::MAX, processes: vec![process; LeftOver::DESCRIBED] },
            files: LeftFiles { count: usize::MAX, paths: vec![text(); LeftFiles::NAMED] },
            ..Report::of_nothing_but(End::TimedOut)
        };
        let length = serde_json::to_vec(&report).expect("it can be written").len();
        assert!(length <= crate::protocol::LONGEST_PACKET, "{length}");
    }

    #[test]
    fn what_would_disturb_a_terminal_is_replaced() {
        assert_eq!(cut(b"a\tb\x1b[31mc\xff"), "a b\u{fffd}[31mc\u{fffd}");
        assert_eq!(cut(&[0xff; 1000]).len(), 255, "whole characters, three bytes each");
    }
}
