//! A netlink socket: it belongs to the network namespace that its thread was in when it was opened.

use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use super::{Batch, HEADER, attributes, padded};

/// A socket for one family of messages.
#[derive(Debug)]
pub(crate) struct Socket {
    descriptor: OwnedFd,
    sequence: u32,
}

/// The kernel's no to one message of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Which message, from 0 on.
    pub(crate) message: usize,
    /// Why.
    pub(crate) errno: Errno,
    /// The kernel's own words, where it has any (`NLMSGERR_ATTR_MSG`).
    pub(crate) words: Option<String>,
}

/// How many messages are sent at once: their answers have to fit into the socket's buffer.
const AT_ONCE: usize = 64;
/// How many bytes are sent at once, likewise.
const BYTES_AT_ONCE: usize = 32 << 10;

/// What a message of the kernel's is.
enum Answer<'a> {
    /// To which message, and how it went.
    Verdict { sequence: u32, errno: i32, words: Option<String> },
    /// A dump is over.
    Done { sequence: u32 },
    /// One thing that was asked for: its type, and what follows the header.
    Item { sequence: u32, kind: u16, payload: &'a [u8] },
}

impl Socket {
    /// Opens one in the current thread's network namespace.
    pub(crate) fn open(protocol: SockProtocol) -> nix::Result<Socket> {
        let descriptor = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
        crate::sys::netlink::explain_errors(&descriptor)?;
        Ok(Socket { descriptor, sequence: 1 })
    }

    /// Sends all messages in order, up to the first that is refused: those after it in the same part are sent all the same.
    pub(crate) fn request(&mut self, batch: &Batch) -> Result<(), Refusal> {
        let mut from = 0;
        while from < batch.len() {
            let mut to = (from + AT_ONCE).min(batch.len());
            let size = |to: usize| batch.starts.get(to).copied().unwrap_or(batch.bytes.len()) - batch.starts[from];
            while to > from + 1 && size(to) > BYTES_AT_ONCE {
                to -= 1;
            }
            self.request_part(batch, from..to)?;
            from = to;
        }
        Ok(())
    }

    /// As [`Socket::request`], in one piece, as a transaction of nftables has to be: its first message begins it, its last ends it.
    pub(crate) fn transact(&mut self, batch: &Batch) -> Result<(), Refusal> {
        // Kernels before Linux 6.10 leave the end of a transaction without an answer.
        self.request_answered(batch, 0..batch.len(), batch.len() - 2)
    }

    fn request_part(&mut self, batch: &Batch, range: std::ops::Range<usize>) -> Result<(), Refusal> {
        let last = range.end - 1;
        self.request_answered(batch, range, last)
    }

    /// Sends a part, and waits for the answer to one of its messages; a no to one before it is remembered. A no to the first is
    /// one to the whole of a transaction, after which the others may be left unanswered.
    fn request_answered(
        &mut self,
        batch: &Batch,
        range: std::ops::Range<usize>,
        answered: usize,
    ) -> Result<(), Refusal> {
        let first = self.sequence;
        let awaited = first + (answered - range.start) as u32;
        self.sequence += range.len() as u32;
        let whole = answered + 1 < range.end;
        let failed = |errno| Refusal { message: range.start, errno, words: None };
        self.send(&batch.part(range.clone(), first, answered)).map_err(failed)?;
        let mut refusal = None;
        self.receive(|answer| match answer {
            Answer::Verdict { sequence, errno, words } if (first..=awaited).contains(&sequence) => {
                if errno != 0 && refusal.is_none() {
                    let message = range.start + (sequence - first) as usize;
                    refusal = Some(Refusal { message, errno: Errno::from_raw(errno), words });
                }
                let over = sequence == awaited || whole && errno != 0 && sequence == first;
                if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
            _ => ControlFlow::Continue(()),
        })
        .map_err(failed)?;
        refusal.map_or(Ok(()), Err)
    }

    /// Asks one question and gives each item of the answer to `each`: its type, and what follows the header.
    pub(crate) fn ask(&mut self, question: &Batch, mut each: impl FnMut(u16, &[u8])) -> Result<(), Refusal> {
        debug_assert_eq!(question.len(), 1, "one question at a time");
        let own = self.sequence;
        self.sequence += 1;
        let failed = |errno| Refusal { message: 0, errno, words: None };
        self.send(&question.part(0..1, own, 0)).map_err(failed)?;
        let mut refusal = None;
        self.receive(|answer| match answer {
            Answer::Item { sequence, kind, payload } if sequence == own => {
                each(kind, payload);
                ControlFlow::Continue(())
            }
            Answer::Verdict { sequence, errno, words } if sequence == own => {
                if errno != 0 {
                    refusal = Some(Refusal { message: 0, errno: Errno::from_raw(errno), words });
                }
                ControlFlow::Break(())
            }
            Answer::Done { sequence } if sequence == own => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .map_err(failed)?;
        refusal.map_or(Ok(()), Err)
    }

    fn send(&self, bytes: &[u8]) -> nix::Result<()> {
        loop {
            match send(self.descriptor.as_raw_fd(), bytes, MsgFlags::empty()) {
                Err(Errno::EINTR) => {}
                other => return other.map(drop),
            }
        }
    }

    /// Gives each message that arrives to `see`, until that says it has seen enough. The kernel answers every request.
    fn receive(&self, mut see: impl FnMut(Answer<'_>) -> ControlFlow<()>) -> nix::Result<()> {
        // The kernel makes the packets of a dump no longer than the longest buffer that it has seen, at most 32 KiB.
        let mut buffer = vec![0; 32 << 10];
        loop {
            let length = match recv(self.descriptor.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            let mut rest = &buffer[..length];
            while let Some((answer, after)) = next(rest) {
                if see(answer).is_break() {
                    return Ok(());
                }
                rest = after;
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// The first of the messages in a packet, and the rest.
fn next(bytes: &[u8]) -> Option<(Answer<'_>, &[u8])> {
    let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let length = word(0)? as usize;
    let kind = u16::from_ne_bytes([*bytes.get(4)?, *bytes.get(5)?]);
    let flags = u16::from_ne_bytes([*bytes.get(6)?, *bytes.get(7)?]);
    let sequence = word(8)?;
    let payload = bytes.get(HEADER..length)?;
    let rest = bytes.get(padded(length)..).unwrap_or_default();
    let answer = match i32::from(kind) {
        libc::NLMSG_ERROR => {
            let errno = -i32::from_ne_bytes(payload.get(..4)?.try_into().ok()?);
            Answer::Verdict { sequence, errno, words: words(flags, payload) }
        }
        libc::NLMSG_DONE => {
            match payload.get(..4).map_or(0, |code| i32::from_ne_bytes([code[0], code[1], code[2], code[3]])) {
                // A dump that could not be made ends with the reason.
                code if code < 0 => Answer::Verdict { sequence, errno: -code, words: None },
                _ => Answer::Done { sequence },
            }
        }
        _ => Answer::Item { sequence, kind, payload },
    };
    Some((answer, rest))
}

/// What the kernel has to say beside the number.
fn words(flags: u16, payload: &[u8]) -> Option<String> {
    /// `NLM_F_ACK_TLVS` and `NLMSGERR_ATTR_MSG` of linux/netlink.h. The request itself is left out, `NETLINK_CAP_ACK`.
    const ACK_TLVS: u16 = 0x200;
    const MESSAGE: u16 = 1;
    if flags & ACK_TLVS == 0 {
        return None;
    }
    let (_, text) = attributes(payload.get(4 + HEADER..)?).find(|(kind, _)| *kind == MESSAGE)?;
    Some(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned())
}
