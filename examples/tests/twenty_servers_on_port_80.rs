//! Twenty HTTP servers on port 80 at the same time, as an ordinary user.
//!
//! Today each of them would ask for any free port and tell its client which; that costs a parameter through every
//! layer in between, and the one port that will be used in production is the one that no test has tried.

use std::net::TcpListener;

use isotest::isotest;

/// Serves one request on port 80 and makes it.
fn serve_and_ask(text: &'static str) {
    let server = tiny_http::Server::http("127.0.0.1:80").expect("port 80 is free and allowed");
    let serving = std::thread::spawn(move || {
        let request = server.recv().expect("the client asks");
        request.respond(tiny_http::Response::from_string(text)).expect("the client listens");
    });
    // A proxy in the environment of whoever runs this would be asked for 127.0.0.1 as well.
    let client = ureq::Agent::new_with_config(ureq::Agent::config_builder().proxy(None).build());
    let answer = client.get("http://127.0.0.1/").call().expect("the server listens").body_mut().read_to_string();
    assert_eq!(answer.expect("the server answers"), text);
    serving.join().expect("the server ends well");
}

macro_rules! servers {
    ($($name:ident)*) => {$(
        #[isotest(timeout = "60s")]
        fn $name() {
            serve_and_ask(stringify!($name));
        }
    )*};
}

servers! {
    one two three four five six seven eight nine ten
    eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
}

#[isotest]
fn on_one_machine_the_second_server_finds_the_port_taken() {
    let _first = TcpListener::bind("127.0.0.1:80").expect("port 80 is free and allowed");
    let second = TcpListener::bind("127.0.0.1:80").expect_err("there is one port 80");
    assert_eq!(second.kind(), std::io::ErrorKind::AddrInUse);
}
