//! A client's side of a fork server: start one, ask it to run a test, know when it is gone.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::Pid;

use crate::captures::Capture;
use crate::protocol::{self, Hello, Order, Request, Run, receive, send};
use crate::report::Report;
use crate::sys::door::SERVER;

/// A running fork server.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
    server: Child,
    hello: Hello,
}

/// What became of the attempt to start a test binary as a fork server.
#[derive(Debug)]
pub enum Started {
    /// It is one.
    Server(Client),
    /// It has no door: it ran its `main` instead, with the arguments and the output it was given.
    Ordinary(Child),
}

impl Client {
    /// Starts `command` as a fork server. It needs as many arguments as a test process takes; its standard input is
    /// replaced, its output is the caller's choice.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or speaks another version of the protocol.
    pub fn start(mut command: Command) -> io::Result<Started> {
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        // In a process group of its own, so that Ctrl-C is for the client alone to answer.
        let command_with_socket = command.env(SERVER, protocol::VERSION).stdin(Stdio::from(theirs)).process_group(0);
        let mut server = command_with_socket.spawn()?;
        drop(command); // It holds the other end of the socket, and would hide the server's hanging up.
        match receive::<Hello>(ours.as_fd())? {
            Some((hello, _)) if hello.version != protocol::VERSION => {
                server.kill()?;
                server.wait()?;
                let theirs = hello.version;
                Err(io::Error::other(format!(
                    "the test binary speaks protocol {theirs} of isotest, this program speaks {}: \
                     use the same version of isotest-core and cargo-isotest",
                    protocol::VERSION
                )))
            }
            Some((hello, _)) => Ok(Started::Server(Client { socket: ours, server, hello })),
            None => Ok(Started::Ordinary(server)),
        }
    }

    /// The arguments that a server must be started with when its own are of no use.
    #[must_use]
    pub fn placeholder_arguments() -> [&'static str; 5] {
        crate::test_process::harness_arguments("isotest-fork-server")
    }

    /// Whether tests can return into the binary's own `main`. Where threads ran before the door they can't: a copy
    /// lacks those threads, so tests have to be executed afresh.
    #[must_use]
    pub fn can_return(&self) -> bool {
        self.hello.threads == 1
    }

    /// Whether the server still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        // Between requests a server says nothing, so all there can be to read is its hanging up.
        let mut events = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        poll(&mut events, PollTimeout::ZERO) == Ok(0)
    }

    /// Asks for one test to be run; the report arrives on the socket that is returned. What its spec says of capturing packets
    /// takes a file for them.
    ///
    /// # Errors
    ///
    /// When the server is gone.
    pub fn run(&self, run: Run, stdout: OwnedFd, stderr: OwnedFd, capture: Option<&Capture>) -> io::Result<Pending> {
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        let mut descriptors = vec![stdout.as_fd(), stderr.as_fd(), theirs.as_fd()];
        descriptors.extend(capture.map(AsFd::as_fd));
        send(self.socket.as_fd(), &Request::Run(Box::new(run)), &descriptors)?;
        Ok(Pending { socket: ours })
    }

    /// Asks for the registered tests, written to `out` as JSON, one `[path, spec]` a line.
    ///
    /// # Errors
    ///
    /// When the server is gone.
    pub fn registry(&self, out: &OwnedFd) -> io::Result<()> {
        Ok(send(self.socket.as_fd(), &Request::Registry, &[out.as_fd()])?)
    }

    /// Asks for the harness's own main to be run with these arguments, to list tests on `out`.
    ///
    /// # Errors
    ///
    /// When the server is gone.
    pub fn list(&self, arguments: [&str; 5], out: &OwnedFd) -> io::Result<()> {
        let arguments = arguments.map(str::to_owned).to_vec();
        Ok(send(self.socket.as_fd(), &Request::List(arguments), &[out.as_fd()])?)
    }
}

impl Drop for Client {
    /// Hanging up ends the server; killing it first spares the wait for it to notice. In its process group are those who
    /// still answer its client's questions.
    fn drop(&mut self) {
        killpg(Pid::from_raw(self.server.id().cast_signed()), Signal::SIGKILL).ok(); // Ended meanwhile: as good.
        drop(self.server.wait());
    }
}

/// A test that was asked for.
#[derive(Debug)]
pub struct Pending {
    socket: OwnedFd,
}

impl AsFd for Pending {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Pending {
    /// Waits for the report; `None` when init was killed before it could send one.
    ///
    /// # Errors
    ///
    /// When the report can't be read.
    pub fn report(&self) -> io::Result<Option<Report>> {
        match protocol::receive_report(self.socket.as_fd()) {
            Err(Errno::ECONNRESET) => Ok(None),
            other => Ok(other?),
        }
    }

    /// Tells the test's init what to do. One that has ended needs no orders, and hears none.
    pub fn order(&self, order: Order) {
        send(self.socket.as_fd(), &order, &[]).ok();
    }

    /// Has the test ended, with all that is left of it, and waits until it is gone or this time has passed.
    pub fn end(&self, within: Duration) {
        self.order(Order::Kill);
        let until = Instant::now() + within;
        let timeout =
            || PollTimeout::try_from(until.saturating_duration_since(Instant::now())).unwrap_or(PollTimeout::MAX);
        // Init hangs up last; what it says before is not wanted.
        loop {
            match poll(&mut [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)], timeout()) {
                Ok(0) => return,
                Err(Errno::EINTR) => {}
                Ok(_) | Err(_) if matches!(self.report(), Ok(Some(_))) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }
}
