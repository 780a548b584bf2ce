//! How are questions answered? One thread waits at the sockets of all hosts.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Receiver;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::forward::{framed, pass_on};
use super::message::{Found, Way, answer};
use super::redirect::{Before, Ports, lead};
use super::{Directory, RESOLVER};
use crate::lab::error::{Error, Result};

/// Where one host asks.
#[derive(Debug)]
pub(crate) struct Counter {
    host: usize,
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Counter {
    /// Opens it in the calling thread's network.
    pub(crate) fn open(host: usize, before: Before) -> Result<Counter> {
        let counter = Counter::at(host, 0)?;
        let ports = counter.ports().map_err(|error| failed(&error))?;
        match lead(RESOLVER, ports, before) {
            Ok(()) => Ok(counter),
            // A kernel without nftables: then the port itself is taken.
            Err(_) => Counter::at(host, 53),
        }
    }

    fn at(host: usize, port: u16) -> Result<Counter> {
        let open = || {
            let (udp, tcp) = (UdpSocket::bind((RESOLVER, port))?, TcpListener::bind((RESOLVER, port))?);
            udp.set_nonblocking(true)?;
            tcp.set_nonblocking(true)?;
            Ok(Counter { host, udp, tcp })
        };
        open().map_err(|error| failed(&error))
    }

    fn ports(&self) -> std::io::Result<Ports> {
        Ok(Ports { udp: self.udp.local_addr()?.port(), tcp: self.tcp.local_addr()?.port() })
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::io(format!("answering questions about names at {RESOLVER}"), error)
}

/// Somebody who asks in a stream.
#[derive(Debug)]
struct Caller {
    host: usize,
    stream: TcpStream,
    /// What has come and is not answered yet.
    received: Vec<u8>,
}

/// So many at once, all hosts together; who has waited longest goes first.
const CALLERS: usize = 256;

/// Answers until the other end of `alarm`, which is rung for each new counter, is closed.
pub(crate) fn serve(directory: &Directory, mut alarm: UnixStream, new: &Receiver<Counter>) {
    let (mut counters, mut callers): (Vec<Counter>, Vec<Caller>) = Default::default();
    loop {
        let ready = wait(&alarm, &counters, &callers);
        let (at_counters, at_callers) = ready[1..].split_at(2 * counters.len());
        let mut at_callers = at_callers.iter();
        callers.retain_mut(|caller| !at_callers.next().copied().unwrap_or(false) || caller.hear(directory));
        for (counter, ready) in counters.iter().zip(at_counters.chunks(2)) {
            if ready[0] {
                counter.answer(directory);
            }
            if ready[1] {
                counter.let_in(&mut callers);
            }
        }
        if ready[0] && !matches!(alarm.read(&mut [0; 64]), Ok(1..)) {
            return;
        }
        counters.extend(new.try_iter());
    }
}

/// At which of all there is something to read: the alarm, two at each counter, the callers.
fn wait(alarm: &UnixStream, counters: &[Counter], callers: &[Caller]) -> Vec<bool> {
    let sockets = counters.iter().flat_map(|counter| [counter.udp.as_fd(), counter.tcp.as_fd()]);
    let all = [alarm.as_fd()].into_iter().chain(sockets).chain(callers.iter().map(|caller| caller.stream.as_fd()));
    let mut all: Vec<_> = all.map(|socket| PollFd::new(socket, PollFlags::POLLIN)).collect();
    while let Err(errno) = poll(&mut all, PollTimeout::NONE) {
        assert_eq!(errno, Errno::EINTR, "the descriptors are open, and there are few of them");
    }
    all.iter().map(|socket| socket.revents().is_some_and(|events| !events.is_empty())).collect()
}

/// The answer to a message, and whether others may have a better one.
fn look_up(directory: &Directory, host: usize, message: &[u8], way: Way) -> (Option<Vec<u8>>, bool) {
    let mut elsewhere = false;
    let answer = answer(message, way, |name| {
        let found = directory.find(host, name);
        elsewhere = found == Found::Elsewhere;
        found
    });
    (answer, elsewhere)
}

impl Counter {
    fn answer(&self, directory: &Directory) {
        let mut question = [0; 4096];
        while let Ok((length, asker)) = self.udp.recv_from(&mut question) {
            let question = &question[..length];
            let (answer, elsewhere) = look_up(directory, self.host, question, Way::Udp);
            let Some(answer) = answer else { continue };
            match self.udp.try_clone() {
                Ok(own) if elsewhere => pass_on(question.to_vec(), Way::Udp, answer, move |answer| {
                    own.send_to(answer, asker).ok(); // As below.
                }),
                // Who does not wait for it any more gets none, and who got none asks again.
                _ => drop(self.udp.send_to(&answer, asker)),
            }
        }
    }

    fn let_in(&self, callers: &mut Vec<Caller>) {
        loop {
            match self.tcp.accept() {
                Ok((stream, _)) if stream.set_nonblocking(true).is_ok() => {
                    if callers.len() == CALLERS {
                        callers.remove(0);
                    }
                    callers.push(Caller { host: self.host, stream, received: Vec::new() });
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // There are too many open files: those who wait already make room.
                Err(_) => return callers.clear(),
            }
        }
    }
}

impl Caller {
    /// Reads and answers; whether there may be more to come.
    fn hear(&mut self, directory: &Directory) -> bool {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(length) => self.received.extend(&bytes[..length]),
            Err(error) => return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
        while let Some(question) = self.next() {
            let (answer, elsewhere) = look_up(directory, self.host, &question, Way::Tcp);
            let Some(answer) = answer else { return false };
            // Who asks on and on without reading is not waited for.
            let written = match self.stream.try_clone() {
                Ok(mut own) if elsewhere => {
                    pass_on(question, Way::Tcp, answer, move |answer| drop(own.write_all(&framed(answer))));
                    Ok(())
                }
                _ => self.stream.write_all(&framed(&answer)),
            };
            if written.is_err() {
                return false;
            }
        }
        true
    }

    /// The next message that is there as a whole: its length goes before it, RFC 1035, section 4.2.2.
    fn next(&mut self) -> Option<Vec<u8>> {
        let length = usize::from(u16::from_be_bytes(*self.received.first_chunk()?));
        let end = 2 + length;
        if self.received.len() < end {
            return None;
        }
        Some(self.received.drain(..end).skip(2).collect())
    }
}
