//! Twenty tests bind port 80 at the same time, as an ordinary user.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use isotest::isotest;

/// Serves one request on port 80 and asks for it.
fn serve_and_ask(text: &'static str) {
    let listener = TcpListener::bind("127.0.0.1:80").expect("port 80 is free in a sandbox");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client connects");
        let mut request = [0; 512];
        let length = stream.read(&mut request).expect("the client asks");
        assert!(request[..length].starts_with(b"GET / HTTP/1.0"));
        write!(stream, "HTTP/1.0 200 OK\r\n\r\n{text}").expect("the client listens");
    });
    let mut stream = TcpStream::connect("127.0.0.1:80").expect("the server listens");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    server.join().expect("the server ends well");
    assert!(answer.ends_with(text), "{answer}");
}

macro_rules! servers {
    ($($name:ident)*) => {$(
        #[isotest]
        fn $name() {
            serve_and_ask(stringify!($name));
        }
    )*};
}

servers! {
    one two three four five six seven eight nine ten
    eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
}
