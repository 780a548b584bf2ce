//! A redis server and its replica, 50 ms away from one another.
//!
//! Today's alternatives: two servers on one machine, whose replica is never behind; or two machines far from one another.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Faults, Host, Lab, Link, Result};

const FAR: Duration = Duration::from_millis(50);

struct Pair {
    _lab: Lab,
    main: Host,
    replica: Host,
    link: Link,
}

/// A server, and its replica that has caught up.
fn pair() -> Result<Pair> {
    let lab = Lab::new()?;
    let (main, replica) = (lab.host("main")?, lab.host("replica")?);
    let link = lab.link(&main, &replica)?;
    link.faults(Faults::new().latency(FAR))?;
    start(&main, &[]);
    start(&replica, &["--replicaof", "main", "6379"]);
    let mut asked = Connection::to(&main);
    while !asked.ask("INFO replication").contains("state=online") {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Pair { _lab: lab, main, replica, link })
}

/// Starts a server in a host, which ends with the lab, and waits until it listens.
#[expect(clippy::zombie_processes, reason = "the lab kills it, and the machine's init waits for it")]
fn start(host: &Host, more: &[&str]) {
    let mut command = host.command("redis-server");
    let directory = format!("/tmp/{}", host.name());
    std::fs::create_dir(&directory).expect("/tmp is the test's own");
    command.args(["--port", "6379", "--protected-mode", "no", "--save", "", "--repl-diskless-sync-delay", "0"]);
    command.args(["--dir", &directory]).args(more).stdout(Stdio::null()).spawn().expect("redis-server is installed");
    host.wait_listening(6379).expect("it listens in time");
}

/// The inline form of redis's protocol: one line there, one line or a counted text back.
struct Connection(BufReader<TcpStream>);

impl Connection {
    /// From the same host.
    fn to(host: &Host) -> Connection {
        let stream = host.enter(|| TcpStream::connect("127.0.0.1:6379").expect("the server listens"));
        Connection(BufReader::new(stream))
    }

    fn ask(&mut self, command: &str) -> String {
        write!(self.0.get_mut(), "{command}\r\n").expect("the server reads");
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("the server answers");
        let Some(length) = answer.strip_prefix('$').and_then(|length| length.trim().parse::<usize>().ok()) else {
            return answer.trim_end().to_owned();
        };
        let mut text = vec![0; length + 2];
        std::io::Read::read_exact(&mut self.0, &mut text).expect("as much as was said");
        String::from_utf8(text).expect("redis writes text").trim_end().to_owned()
    }
}

#[isotest(timeout = "60s")]
#[ignore = "needs redis-server; .ci/run installs it"]
fn whoever_waits_for_the_replica_waits_for_the_way_there_and_back() -> Result<()> {
    let pair = pair()?;
    let mut main = Connection::to(&pair.main);
    let start = Instant::now();
    assert_eq!(main.ask("SET bicycles 7"), "+OK");
    assert_eq!(main.ask("WAIT 1 10000"), ":1", "one replica has it");
    assert!(start.elapsed() >= 2 * FAR, "{:?}", start.elapsed());
    assert_eq!(Connection::to(&pair.replica).ask("GET bicycles"), "7");
    Ok(())
}

#[isotest(timeout = "60s")]
#[ignore = "needs redis-server; .ci/run installs it"]
fn whoever_asks_the_replica_at_once_gets_what_was() -> Result<()> {
    let pair = pair()?;
    let (mut main, mut replica) = (Connection::to(&pair.main), Connection::to(&pair.replica));
    assert_eq!(main.ask("SET bicycles 7"), "+OK");
    assert_eq!(main.ask("WAIT 1 10000"), ":1");
    // Farther away than the two questions can take.
    pair.link.faults(Faults::new().latency(Duration::from_secs(5)))?;
    assert_eq!(main.ask("SET bicycles 8"), "+OK");
    assert_eq!(replica.ask("GET bicycles"), "7");
    Ok(())
}
