//! How are those received who come to the pretend internet? A thread waits at each address and port that is served, in the network
//! of the internet's own host.

use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, setsockopt, socket, sockopt,
};

use super::panics::{self, Over};
use super::world::{Who, World};
use super::{Asked, datagrams};
use crate::lab::error::{Error, Result};
use crate::lab::failure;
use crate::lab::names::Found;
use crate::lab::place::on_a_thread;
use crate::lab::sockets::Protocol;

/// Answers a connection.
pub(crate) type Serves = dyn Fn(TcpStream, Asked) + Send + Sync;
/// Answers a datagram, or does not.
pub(crate) type Replies = dyn Fn(&[u8], Asked) -> Option<Vec<u8>> + Send + Sync;

/// What a handler of the test does with one who comes.
#[derive(Clone)]
pub(crate) enum Handler {
    Tcp(Arc<Serves>),
    Udp(Arc<Replies>),
}

impl Handler {
    fn protocol(&self) -> Protocol {
        match self {
            Handler::Tcp(_) => Protocol::Tcp,
            Handler::Udp(_) => Protocol::Udp,
        }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handler for {}", self.protocol())
    }
}

/// What lies outside of a lab: who is served there, and where it is listened.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    state: Mutex<State>,
    over: Arc<Over>,
    /// Whether it has said that it lacks something.
    lacking: AtomicBool,
    #[cfg(feature = "tls")]
    authority: Mutex<Option<Arc<super::tls::Authority>>>,
}

#[derive(Debug, Default)]
struct State {
    world: World<Handler>,
    /// Where it has to be listened.
    doors: BTreeSet<Address>,
    /// The addresses of the lab's hosts. None of them is in the internet, by whichever way it is asked for.
    hosts: BTreeSet<IpAddr>,
    open: Option<Open>,
}

/// Where one may come.
type Address = (Protocol, SocketAddr);

/// The internet of a lab that is up.
#[derive(Debug)]
struct Open {
    network: OwnedFd,
    /// Closed, it ends the threads, which hold the other end.
    alarm: UnixStream,
    heard: UnixStream,
    threads: Vec<JoinHandle<()>>,
}

impl Outside {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who signs its certificates.
    #[cfg(feature = "tls")]
    pub(crate) fn authority(&self) -> Result<Arc<super::tls::Authority>> {
        let mut authority = self.authority.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = &*authority {
            return Ok(Arc::clone(there));
        }
        Ok(Arc::clone(authority.insert(Arc::new(super::tls::Authority::new()?))))
    }

    /// The certificate that hosts are to trust.
    #[cfg(feature = "tls")]
    pub(crate) fn certificate(&self) -> Result<Option<String>> {
        Ok(Some(self.authority()?.certificate().to_owned()))
    }

    /// The certificate that hosts are to trust.
    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unnecessary_wraps, reason = "with TLS, making the keys may fail")]
    pub(crate) fn certificate(&self) -> Result<Option<String>> {
        Ok(None)
    }

    /// What is known of a name there.
    pub(crate) fn find(&self, name: &str) -> Found {
        self.state().world.find(name)
    }

    /// Has a handler serve, at once if the lab is up.
    pub(crate) fn serve(self: &Arc<Self>, who: Who, port: u16, handler: Handler) -> Result<()> {
        panics::listen();
        let mut state = self.state();
        let protocol = handler.protocol();
        let at = state.world.serve(who, protocol, port, handler);
        let doors = at.into_iter().map(|ip| (protocol, SocketAddr::new(ip, port)));
        let new: Vec<Address> = doors.filter(|door| state.doors.insert(*door)).collect();
        state.open.as_mut().map_or(Ok(()), |open| open.doors(&new, self))
    }

    /// Opens all that is served, in this network.
    pub(crate) fn open(self: &Arc<Self>, network: OwnedFd, hosts: BTreeSet<IpAddr>) -> Result<()> {
        let mut state = self.state();
        state.hosts = hosts;
        let failed = |error: std::io::Error| Error::io("opening the internet of the lab", &error);
        let (alarm, heard) = UnixStream::pair().map_err(failed)?;
        let mut open = Open { network, alarm, heard, threads: Vec::new() };
        open.doors(&state.doors.iter().copied().collect::<Vec<_>>(), self)?;
        state.open = Some(open);
        Ok(())
    }

    /// From now on it is nobody's failure if a handler panics.
    pub(crate) fn end(&self) {
        self.over.now();
    }

    /// Closes all.
    pub(crate) fn close(&self) {
        let open = self.state().open.take();
        if let Some(Open { alarm, threads, .. }) = open {
            drop(alarm);
            // Those that wait for connections; what handlers do is not waited for.
            threads.into_iter().for_each(|thread| thread.join().unwrap_or_default());
        }
    }

    /// Says, once, why it can't do something.
    fn lacks(&self, what: &str, error: &std::io::Error) {
        if !self.lacking.swap(true, Ordering::Relaxed) {
            failure::note(format!("the lab's internet can't {what}: {error}"));
        }
    }

    fn handler(&self, protocol: Protocol, at: SocketAddr, from: SocketAddr) -> Option<(Asked, Handler)> {
        let state = self.state();
        if state.hosts.contains(&at.ip()) {
            return None;
        }
        let (name, handler) = state.world.handler(protocol, at)?;
        Some((Asked { name: name.map(str::to_owned), address: at, from }, handler))
    }
}

impl Open {
    fn doors(&mut self, doors: &[Address], outside: &Arc<Outside>) -> Result<()> {
        let sockets = on_a_thread("lab-internet", || {
            let entered = setns(&self.network, CloneFlags::CLONE_NEWNET);
            entered.map_err(|errno| Error::kernel("entering the internet's network", errno))?;
            doors.iter().filter_map(|door| bound(*door).transpose()).collect::<Result<Vec<_>>>()
        })?;
        for ((protocol, address), socket) in sockets {
            let failed = |error: std::io::Error| Error::io(format!("listening at {protocol} {address}"), &error);
            let (alarm, outside) = (self.heard.try_clone().map_err(failed)?, Arc::clone(outside));
            let thread = std::thread::Builder::new().name("lab-internet".to_owned());
            match protocol {
                Protocol::Tcp => {
                    let attend = move || receive(&TcpListener::from(socket), &alarm, &outside);
                    self.threads.push(thread.spawn(attend).map_err(failed)?);
                }
                Protocol::Udp => {
                    let attend = move || reply(&UdpSocket::from(socket), &alarm, &outside);
                    thread.spawn(attend).map_err(failed)?;
                }
            }
        }
        Ok(())
    }
}

/// A socket at an address, which need be nobody's. None for IPv6 where the kernel has none.
fn bound((protocol, address): Address) -> Result<Option<(Address, OwnedFd)>> {
    let make = || {
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let kind = if protocol == Protocol::Tcp { SockType::Stream } else { SockType::Datagram };
        let made = socket(family, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
        if address.is_ipv6() {
            setsockopt(&made, sockopt::Ipv6V6Only, &true)?;
        }
        if protocol == Protocol::Udp {
            datagrams::tell_destinations(&made, address.is_ipv6())?;
        }
        // All addresses may be listened at beside some of them.
        setsockopt(&made, sockopt::ReusePort, &true)?;
        bind(made.as_raw_fd(), &SockaddrStorage::from(address))?;
        if protocol == Protocol::Tcp {
            listen(&made, Backlog::MAXCONN)?;
        }
        Ok(made)
    };
    match make() {
        Ok(made) => Ok(Some(((protocol, address), made))),
        Err(Errno::EAFNOSUPPORT) if address.is_ipv6() => Ok(None),
        Err(errno) => Err(Error::kernel(format!("listening at {protocol} {address} in the internet"), errno)),
    }
}

/// How long it waits where it lacks something, such as descriptors.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until there is something at the socket; `false` when the lab is gone.
fn wait(socket: &impl AsFd, alarm: &UnixStream) -> bool {
    let mut both = [alarm.as_fd(), socket.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    while let Err(errno) = poll(&mut both, PollTimeout::NONE) {
        assert_eq!(errno, Errno::EINTR, "the descriptors are open, and there are few of them");
    }
    both[0].revents().is_some_and(|events| events.is_empty())
}

/// Gives each connection to its handler, on a thread of its own.
fn receive(door: &TcpListener, alarm: &UnixStream, outside: &Outside) {
    while wait(door, alarm) {
        let (stream, from) = match door.accept() {
            Ok(accepted) => accepted,
            Err(error) if transient(&error) => continue,
            Err(error) => {
                outside.lacks("take another connection", &error);
                std::thread::sleep(PAUSE); // It waits where it is.
                continue;
            }
        };
        let asked = stream.local_addr().map(|at| outside.handler(Protocol::Tcp, at, from));
        let Ok(Some((asked, Handler::Tcp(handler)))) = asked else {
            refuse(&stream);
            continue;
        };
        let blocking = stream.set_nonblocking(false);
        let thread = std::thread::Builder::new().name(asked.to_string());
        let over = Arc::clone(&outside.over);
        let serve = move || panics::watch(asked.to_string(), &over, || handler(stream, asked.clone()));
        let started = blocking.and_then(|()| thread.spawn(serve));
        if let Err(error) = started {
            outside.lacks("serve another connection", &error);
        }
    }
}

fn transient(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionAborted)
}

/// Resets the connection when it is dropped: nobody is there.
fn refuse(stream: &TcpStream) {
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    // Otherwise it is closed, which says nearly the same.
    setsockopt(stream, sockopt::Linger, &at_once).ok();
}

/// Answers each datagram, one after the other.
fn reply(door: &UdpSocket, alarm: &UnixStream, outside: &Outside) {
    let mut datagram = vec![0; usize::from(u16::MAX)];
    let Ok(own) = door.local_addr() else { return };
    while wait(door, alarm) {
        let Ok(Some((length, from, to))) = datagrams::receive(door, &mut datagram) else { continue };
        let at = SocketAddr::new(to, own.port());
        let Some((asked, Handler::Udp(handler))) = outside.handler(Protocol::Udp, at, from) else { continue };
        let ask = || handler(&datagram[..length], asked.clone());
        if let Some(Some(answer)) = panics::watch(asked.to_string(), &outside.over, ask) {
            // Who has gone away gets none, as in any network.
            datagrams::answer(door, &answer, to, from).ok();
        }
    }
}
