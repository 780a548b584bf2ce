//! How do tests talk between hosts?

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use isotest::lab::Host;

/// Whether a TCP connection from one host to an address of another carries bytes both ways.
pub(crate) fn converse(from: &Host, to: &Host, address: IpAddr) -> bool {
    let listener = to.enter(|| TcpListener::bind((address, 7)).expect("the address is the host's own"));
    let echo = to.spawn(move || {
        let (mut stream, from) = listener.accept().expect("somebody comes");
        let mut word = [0; 4];
        stream.read_exact(&mut word).and_then(|()| stream.write_all(&word)).expect("the other side talks");
        from
    });
    let answered = from.enter(|| {
        let mut stream = connect((address, 7).into())?;
        stream.write_all(b"ping")?;
        let mut word = [0; 4];
        stream.read_exact(&mut word).map(|()| word == *b"ping")
    });
    if let Err(error) = &answered {
        eprintln!("{} to {} at {address}: {error}", from.name(), to.name());
        return false;
    }
    echo.expect("a thread starts").join();
    answered.is_ok_and(|same| same)
}

/// Connects, or fails within seconds.
pub(crate) fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
    TcpStream::connect_timeout(&to, Duration::from_secs(5))
}

/// For how long nothing has to come before it is taken for lost. Between hosts of a lab a packet takes microseconds.
const SILENCE: Duration = Duration::from_millis(100);

/// Whether datagrams from one host come to an address of another, which says so by answering nobody. Tries for seconds.
pub(crate) fn hears(to: &Host, from: &Host, address: IpAddr) -> bool {
    (0..100).any(|_| datagram(to, from, address, Duration::from_millis(50)))
}

/// Whether none does.
pub(crate) fn is_deaf(to: &Host, from: &Host, address: IpAddr) -> bool {
    !datagram(to, from, address, SILENCE)
}

fn datagram(to: &Host, from: &Host, address: IpAddr, patience: Duration) -> bool {
    let ear = to.enter(|| UdpSocket::bind((address, 9)).expect("the address is the host's own"));
    ear.set_read_timeout(Some(patience)).expect("it is not zero");
    let mouth = from.enter(|| {
        let any: IpAddr = if address.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
        UdpSocket::bind((any, 0)).expect("there are free ports")
    });
    let sent = mouth.send_to(b"hello", (address, 9)).is_ok();
    sent && ear.recv(&mut [0; 8]).is_ok()
}

/// Whether nothing comes for a while.
pub(crate) fn is_silent(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(SILENCE)).expect("it is not zero");
    stream.peek(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// What comes within seconds.
pub(crate) fn word(mut stream: &TcpStream) -> [u8; 4] {
    let mut word = [0; 4];
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
    stream.read_exact(&mut word).expect("the other side has written");
    word
}
