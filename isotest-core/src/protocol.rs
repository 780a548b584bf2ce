//! What client, fork server and init say to one another: one JSON value per packet of a `SOCK_SEQPACKET` socket,
//! descriptors beside it (`SCM_RIGHTS`, `unix(7)`).

use std::fs::File;
use std::io::{BufReader, IoSlice, IoSliceMut, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use nix::Result;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recv, recvmsg, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Spec;
use crate::report::Report;
use crate::sys::errno;

/// Both sides must speak the same version: a server is the test binary, which may be older than the runner.
pub(crate) const VERSION: &str = "6";

/// The server's first packet.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// The protocol that the server speaks.
    pub version: String,
    /// How many threads ran before the door; more than one means that tests are exec'd afresh.
    pub threads: usize,
}

/// What a client asks of a fork server.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Write the registered tests, one [`Known`] a line. One descriptor: where to.
    Registry,
    /// Run the binary's own `main` with these arguments, unsandboxed, to list tests. One descriptor: its stdout.
    List(Vec<String>),
    /// Run one test in a sandbox. Three descriptors: stdout, stderr and the socket for the [`Report`]; where packets are to be
    /// captured a fourth, the file for them.
    Run(Box<Run>),
}

/// One `#[isotest]` function of the binary. What is as by default goes unsaid: there may be thousands, and an unoptimised
/// binary takes its time with each field.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Known {
    /// Its name in the harness.
    pub name: String,
    /// What it asks for, where the attribute says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<Spec>,
    /// Which of it the attribute says, by the arguments' names; the rest are defaults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<String>,
    /// Where it is to panic: what the message must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub should_panic: Option<String>,
}

impl Known {
    /// Whether its attribute says anything.
    #[must_use]
    pub fn says_more_than_its_name(&self) -> bool {
        self.spec.is_some() || self.should_panic.is_some() || !self.written.is_empty()
    }

    /// Its line: JSON where there is more to say than the name.
    pub(crate) fn write(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        if self.says_more_than_its_name() {
            serde_json::to_writer(&mut *out, self)?;
        } else {
            out.write_all(self.name.as_bytes())?;
        }
        out.write_all(b"\n")
    }

    /// Reads its line.
    ///
    /// # Errors
    ///
    /// When it is no line of [`Known::write`]'s.
    pub fn read(line: &str) -> serde_json::Result<Known> {
        // A path never begins so.
        if line.starts_with('{') {
            return serde_json::from_str(line);
        }
        Ok(Known { name: line.to_owned(), spec: None, written: Vec::new(), should_panic: None })
    }
}

/// One test to run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    /// The test's path in its binary.
    pub test: String,
    /// What it asks for.
    pub spec: Spec,
    /// Paths that must stay reachable even where a private directory is laid over them.
    pub keep: Vec<PathBuf>,
    /// What the test process becomes.
    pub target: Target,
    /// Unique among the runs of tests on this machine; keeps coverage profiles apart.
    pub label: String,
    /// What the runner tells the test in its environment; what the spec says there comes on top.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<(String, String)>,
    /// Run it in namespaces as far as the machine lets us, instead of failing.
    pub isolation: Isolation,
    /// What becomes of processes that it leaves running.
    #[serde(default)]
    pub leftovers: Leftovers,
}

/// What a test process becomes.
#[derive(Debug, Serialize, Deserialize)]
pub enum Target {
    /// It runs the body of an `#[isotest]` function, without the harness.
    Body,
    /// It returns through the door into the harness's own `main`.
    Harness,
    /// It becomes another program.
    Exec(Program),
}

/// A program that is executed as the test process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Program {
    /// Its path.
    pub program: PathBuf,
    /// Its arguments, without its name.
    pub arguments: Vec<String>,
    /// What is set in its environment beside the fork server's own.
    pub environment: Vec<(String, String)>,
    /// Where it starts.
    pub directory: PathBuf,
    /// Whether isotest is linked into it, so that a wrapper in it says how the test's body ended.
    pub wrapped: bool,
}

/// What a client may tell the init of a running test, on the socket that the report will come on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Stop every process of the sandbox and its clock.
    Pause,
    /// Let them go on.
    Resume,
    /// Send `SIGTERM` to every process of the sandbox.
    Terminate,
    /// End the sandbox, and report [`End::TimedOut`](crate::outcome::End::TimedOut).
    Kill,
}

/// Whether a sandbox is made at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    /// As the spec says, or fail.
    Required,
    /// None: the user chose to run where the machine refuses (`ISOTEST_UNAVAILABLE=run`).
    None,
}

/// What becomes of the processes that are left when a test process has ended?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leftovers {
    /// They are ended.
    #[default]
    End,
    /// They go on after the report until the client hangs up, or sends [`Order::Kill`].
    Stay,
}

/// Sends one packet.
pub(crate) fn send(socket: BorrowedFd<'_>, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    let bytes = serde_json::to_vec(message).map_err(|_| Errno::EINVAL)?;
    let numbers: Vec<_> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let control: &[_] = if numbers.is_empty() { &[] } else { &rights };
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&bytes)], control, MsgFlags::MSG_NOSIGNAL, None).map(drop)
}

/// How many descriptors may go with a packet.
pub(crate) const MOST_DESCRIPTORS: usize = 128;

/// Receives one packet; `None` when the other side is gone.
pub(crate) fn receive<M: DeserializeOwned>(socket: BorrowedFd<'_>) -> Result<Option<(M, Vec<OwnedFd>)>> {
    // Asking for the length first keeps the server small: its memory is paid for again by every test.
    let mut buffer = vec![0; length_of_next(socket)?];
    let mut control = nix::cmsg_space!([std::os::fd::RawFd; MOST_DESCRIPTORS]);
    let mut parts = [IoSliceMut::new(&mut buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let received = loop {
        match recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags) {
            Err(Errno::EINTR) => {}
            other => break other?,
        }
    };
    let mut descriptors = Vec::new();
    for message in received.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = message {
            descriptors.extend(numbers.into_iter().map(crate::sys::process::adopt));
        }
    }
    // Nobody has room for more descriptors.
    if received.flags.contains(MsgFlags::MSG_CTRUNC) {
        return Err(Errno::EMFILE);
    }
    let length = received.bytes;
    if length == 0 {
        return Ok(None);
    }
    let message = serde_json::from_slice(&buffer[..length]).map_err(|_| Errno::EBADMSG)?;
    Ok(Some((message, descriptors)))
}

/// How long the next packet is; waits for it. Zero when the other side is gone.
fn length_of_next(socket: BorrowedFd<'_>) -> Result<usize> {
    loop {
        match recv(socket.as_raw_fd(), &mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC) {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// What surely finds room in a packet: a socket takes `net.core.wmem_default` less a few bytes.
pub(crate) const LONGEST_PACKET: usize = 200_000;

/// Sends the report of one test; in a file, which the packet only carries, where it is too long.
pub(crate) fn send_report(socket: BorrowedFd<'_>, report: &Report) -> Result<()> {
    let bytes = serde_json::to_vec(report).map_err(|_| Errno::EINVAL)?;
    if bytes.len() <= LONGEST_PACKET {
        return sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(&bytes)], &[], MsgFlags::MSG_NOSIGNAL, None).map(drop);
    }
    let mut file = File::from(memfd_create(c"isotest-report", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(&bytes).map_err(errno)?;
    send(socket, &None::<Report>, &[file.as_fd()])
}

/// Receives the report of one test; `None` when its init died without a word.
pub(crate) fn receive_report(socket: BorrowedFd<'_>) -> Result<Option<Report>> {
    let Some((packet, mut files)) = receive::<Option<Report>>(socket)? else { return Ok(None) };
    let in_file = |file: OwnedFd| {
        let mut file = File::from(file);
        file.rewind().map_err(errno)?;
        serde_json::from_reader(BufReader::new(file)).map_err(|_| Errno::EBADMSG)
    };
    packet.map_or_else(|| files.pop().ok_or(Errno::EBADMSG).and_then(in_file), Ok).map(Some)
}
