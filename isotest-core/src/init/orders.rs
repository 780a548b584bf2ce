//! What does init do when its client tells it something while the test runs?

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{MsgFlags, recv};
use nix::unistd::Pid;

use super::census::signal_descendants;
use crate::protocol::Order;

/// The client's end of the report's socket, and the clock that it can stop.
#[derive(Debug)]
pub(super) struct Orders<'s> {
    socket: Option<BorrowedFd<'s>>,
    /// Whether `kill(-1, …)` reaches the sandbox and nobody else.
    is_pid_1: bool,
    deadline: Option<Instant>,
    paused: Option<Instant>,
}

impl<'s> Orders<'s> {
    /// For a sandbox whose time is up after `timeout`.
    pub(super) fn new(socket: &'s impl AsFd, is_pid_1: bool, timeout: Option<Duration>) -> Orders<'s> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Orders { socket: Some(socket.as_fd()), is_pid_1, deadline, paused: None }
    }

    /// What to wait for, as long as somebody may say something.
    pub(super) fn source(&self) -> Option<BorrowedFd<'s>> {
        self.socket
    }

    /// How much time is left; `None` where there is no limit, or the clock stands still.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline.filter(|_| self.paused.is_none())?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether the client has stopped the sandbox.
    pub(super) fn paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Carries out what has been said. Tells whether the sandbox is to end.
    pub(super) fn obey(&mut self) -> bool {
        while let Some(socket) = self.socket {
            let mut packet = [0; 64];
            match recv(socket.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return false,
                // The client is gone or wants no report; if it is gone, the server will follow, and init the server.
                Ok(0) | Err(_) => self.socket = None,
                Ok(length) => match serde_json::from_slice(&packet[..length]) {
                    Ok(Order::Kill) => return true,
                    Ok(order) => self.carry_out(order),
                    Err(_) => {} // From a client that knows more orders than we do.
                },
            }
        }
        false
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Pause if self.paused.is_none() => {
                self.signal(Signal::SIGSTOP);
                self.paused = Some(Instant::now());
            }
            Order::Resume => {
                if let Some(since) = self.paused.take() {
                    self.deadline = self.deadline.map(|deadline| deadline + since.elapsed());
                    self.signal(Signal::SIGCONT);
                }
            }
            Order::Terminate => {
                self.signal(Signal::SIGTERM);
                self.signal(Signal::SIGCONT); // A stopped process would never hear the other.
            }
            Order::Pause | Order::Kill => {}
        }
    }

    fn signal(&self, signal: Signal) {
        if self.is_pid_1 {
            kill(Pid::from_raw(-1), signal).ok(); // There may be nobody left to hear it.
        } else {
            signal_descendants(signal);
        }
    }
}
