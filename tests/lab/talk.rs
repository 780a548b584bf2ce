//! How do tests talk between hosts?

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
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
