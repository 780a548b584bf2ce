//! Who answers for names that a lab with an uplink does not know? The machine's own nameservers. Questions go there as they are, and so do
//! the answers come back, each on a thread of its own.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::message::Way;
use crate::lab::porter;

/// How long a nameserver is waited for. Who asks mostly gives up after five seconds, `resolv.conf(5)`.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many questions may be on their way at once.
const MOST: usize = 128;

static ON_THEIR_WAY: AtomicUsize = AtomicUsize::new(0);

/// One that is.
struct Passage;

impl Passage {
    fn begin() -> Option<Passage> {
        let passage = Passage; // Whatever comes of it, it is counted down again.
        (ON_THEIR_WAY.fetch_add(1, Ordering::Relaxed) < MOST).then_some(passage)
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        ON_THEIR_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Has a question answered, or, if nobody does, the failure.
pub(super) fn pass_on(question: Vec<u8>, way: Way, failure: Vec<u8>, reply: impl FnOnce(&[u8]) + Send + 'static) {
    let Some(passage) = Passage::begin() else { return reply(&failure) };
    let asked = std::thread::Builder::new().name("lab-names-outside".to_owned()).spawn(move || {
        reply(&ask(&question, way).unwrap_or(failure));
        drop(passage);
    });
    drop(asked); // Without a thread there is no answer, and who has asked asks again.
}

/// Asks one nameserver after the other.
fn ask(question: &[u8], way: Way) -> Option<Vec<u8>> {
    let called = (0..).map_while(|number| porter::call_nameserver(number, way == Way::Tcp).transpose());
    let answers = called.flatten().filter_map(|socket| match way {
        Way::Udp => by_datagram(&UdpSocket::from(socket), question),
        Way::Tcp => by_stream(TcpStream::from(socket), question),
    });
    answers.into_iter().find(|answer| answers_to(question, answer))
}

/// Whether it has the question's number, and is an answer.
fn answers_to(question: &[u8], answer: &[u8]) -> bool {
    answer.len() > 2 && answer[..2] == question[..2] && answer[2] & 0x80 != 0
}

fn by_datagram(server: &UdpSocket, question: &[u8]) -> Option<Vec<u8>> {
    server.set_read_timeout(Some(PATIENCE)).ok()?;
    server.send(question).ok()?;
    let mut answer = vec![0; usize::from(u16::MAX)];
    let length = server.recv(&mut answer).ok()?;
    answer.truncate(length);
    Some(answer)
}

fn by_stream(mut server: TcpStream, question: &[u8]) -> Option<Vec<u8>> {
    is_connected(server.as_fd()).then_some(())?;
    server.set_nonblocking(false).and_then(|()| server.set_read_timeout(Some(PATIENCE))).ok()?;
    server.write_all(&framed(question)).ok()?;
    let mut length = [0; 2];
    server.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    server.read_exact(&mut answer).ok()?;
    Some(answer)
}

fn is_connected(socket: BorrowedFd<'_>) -> bool {
    let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::ZERO);
    poll(&mut [PollFd::new(socket, PollFlags::POLLOUT)], patience).is_ok_and(|ready| ready > 0)
}

/// A message in a stream: its length goes before it, RFC 1035, section 4.2.2.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}
