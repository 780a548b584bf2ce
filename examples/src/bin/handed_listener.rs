//! The child in the tutorial's `channels`: serves one request on the listener that it receives on its standard input,
//! and answers how its own attempt to reach the same address went.

use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

fn main() -> io::Result<()> {
    let listener = TcpListener::from(received()?);
    let own_way = match TcpStream::connect(listener.local_addr()?) {
        Ok(_) => "Connected".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    };
    let (mut client, _) = listener.accept()?;
    client.write_all(own_way.as_bytes())
}

/// The one descriptor that somebody sends, `SCM_RIGHTS` of `unix(7)`.
fn received() -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(io::stdin(), &mut [IoSliceMut::new(&mut byte)], &mut rights, RecvFlags::CMSG_CLOEXEC)?;
    let descriptors = rights.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    descriptors.flatten().next().ok_or_else(|| io::Error::other("nothing was handed over"))
}
