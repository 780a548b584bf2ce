//! A redis-server for each test, all of them on port 6379, none of them ever stopped.
//!
//! Today's alternatives: one server for all tests, which costs a key prefix in every test and a flush that may not
//! happen while another test runs; or a container for each, which costs a daemon, an image and a second or two a test.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{ChildStdout, Command, Stdio};

use isotest::isotest;

macro_rules! customers {
    ($($name:ident)*) => {$(
        #[isotest(timeout = "60s")]
        #[ignore = "needs redis-server; .ci/run installs it"]
        fn $name() {
            has_the_server_to_itself(stringify!($name));
        }
    )*};
}

customers! { ada barbara edsger grace leslie tony }

/// All of them use the same key, and each finds the store empty and then only its own value.
fn has_the_server_to_itself(name: &str) {
    let _output = start_server();
    let mut redis = Connection::open();
    assert_eq!(redis.ask("DBSIZE"), ":0");
    assert_eq!(redis.ask(&format!("SET customer {name}")), "+OK");
    assert_eq!(redis.ask("STRLEN customer"), format!(":{}", name.len()));
    assert_eq!(redis.ask(&format!("APPEND customer ,{name}")), format!(":{}", 2 * name.len() + 1));
    assert_eq!(redis.ask("DBSIZE"), ":1");
}

#[isotest(timeout = "60s")]
#[ignore = "needs redis-server; .ci/run installs it"]
fn on_one_machine_the_second_server_finds_the_port_taken() {
    let _output = start_server();
    let second = server().output().expect("redis-server is installed");
    let said = String::from_utf8_lossy(&second.stdout);
    assert!(!second.status.success() && said.contains("Address already in use"), "{said}");
}

/// Nobody stops it: it ends with the test's machine, whichever way the test ends. It needs somebody to hold its output.
#[expect(clippy::zombie_processes, reason = "the machine's init waits for it")]
fn start_server() -> BufReader<ChildStdout> {
    let mut server = server().stdout(Stdio::piped()).spawn().expect("redis-server is installed");
    let mut output = BufReader::new(server.stdout.take().expect("its output is a pipe"));
    let mut line = String::new();
    while !line.contains("Ready to accept connections") {
        line.clear();
        assert_ne!(output.read_line(&mut line).expect("redis writes text"), 0, "the server ended before it was ready");
    }
    output
}

fn server() -> Command {
    let mut command = Command::new("redis-server");
    command.args(["--port", "6379", "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]);
    command
}

/// The inline form of redis's protocol: one line there, one line back.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open() -> Connection {
        Connection(BufReader::new(TcpStream::connect("127.0.0.1:6379").expect("the server listens")))
    }

    fn ask(&mut self, command: &str) -> String {
        write!(self.0.get_mut(), "{command}\r\n").expect("the server reads");
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("the server answers");
        answer.trim_end().to_owned()
    }
}
