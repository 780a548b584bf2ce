//! Which frames could not be sent yet? Taking frames in goes before sending them, because the kernel holds few that have come and this
//! holds many.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::sys::frames;

/// A frame, and the number of the interface that it leaves by.
pub(super) type Addressed<'a> = (u32, &'a [u8]);

/// Frames on their way out, in order.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<(u32, Vec<u8>)>,
    bytes: usize,
    /// Since when the receiving kernel has taken none.
    full_since: Option<Instant>,
}

/// How long a frame is tried to be delivered while the other end has no room.
const INSISTENCE: Duration = Duration::from_millis(500);
/// How long the other end is left alone then.
const PAUSE: Duration = Duration::from_micros(50);
/// How many bytes wait at most before no more are taken in.
const MOST: usize = 256 << 20;

impl Outbox {
    /// Sends frames behind those that wait.
    pub(super) fn put(&mut self, socket: &OwnedFd, frames: &[Addressed<'_>]) -> nix::Result<()> {
        let sent = if self.waiting.is_empty() { self.send(socket, frames)? } else { 0 };
        self.keep(&frames[sent..]);
        Ok(())
    }

    /// Has frames wait behind the others.
    pub(super) fn keep(&mut self, frames: &[Addressed<'_>]) {
        for (interface, frame) in frames {
            self.bytes += frame.len();
            self.waiting.push_back((*interface, frame.to_vec()));
        }
    }

    /// Sends some of those that wait.
    pub(super) fn go_on(&mut self, socket: &OwnedFd) -> nix::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        let first: Vec<_> = waiting.iter().take(frames::AT_ONCE).map(|(to, frame)| (*to, frame.as_slice())).collect();
        let sent = self.send(socket, &first);
        drop(first);
        self.waiting = waiting;
        self.bytes -= self.waiting.drain(..sent?).map(|(_, frame)| frame.len()).sum::<usize>();
        Ok(())
    }

    /// When to go on.
    pub(super) fn next(&self) -> Option<Duration> {
        let pause = if self.full_since.is_some() { PAUSE } else { Duration::ZERO };
        (!self.waiting.is_empty()).then_some(pause)
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether no more are to be taken in.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > MOST
    }

    /// Sends frames, each by its interface; gives how many need not be sent any more. What can't be, because the host there is gone or its
    /// interface down, is lost as on a cable without another end.
    fn send(&mut self, socket: &OwnedFd, frames: &[Addressed<'_>]) -> nix::Result<usize> {
        let mut done = 0;
        while done < frames.len() {
            match frames::send(socket, frames[done..].iter().copied()) {
                Ok(sent) => {
                    done += sent;
                    self.full_since = None;
                }
                Err(Errno::EINTR) => {}
                // The receiving kernel has not caught up yet.
                Err(Errno::EAGAIN | Errno::ENOBUFS)
                    if self.full_since.get_or_insert_with(Instant::now).elapsed() < INSISTENCE =>
                {
                    break;
                }
                Err(errno @ (Errno::EBADF | Errno::EFAULT | Errno::ENOTSOCK)) => return Err(errno),
                Err(_) => {
                    done += 1;
                    self.full_since = None;
                }
            }
        }
        Ok(done)
    }
}
