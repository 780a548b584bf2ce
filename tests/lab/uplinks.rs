//! A way out of a lab, to a machine that is itself a host of a lab: nothing here touches the real one.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};
use isotest_tests::{Ended, Fixture, text};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use nix::unistd::Pid;

const OUT: Fixture = Fixture("uplink");

/// A machine, 203.0.113.1, with the world beside it, 203.0.113.2; all in a lab whose user is root there.
struct World {
    _lab: Lab,
    machine: Host,
    beside: Host,
    before: Traces,
}

impl World {
    fn new() -> Result<World> {
        let lab = Lab::new()?;
        let (machine, beside) = (lab.host("machine")?, lab.host("beside")?);
        lab.link(&machine, &beside)?.network("203.0.113.0/24")?.network("2001:db8:113::/64")?;
        machine.route("default", beside.address().into())?.route("::/0", beside.address_v6().into())?;
        let at = |host: &Host, port| host.enter(|| TcpListener::bind(("::", port)).expect("the port is free"));
        let (door, own) = (at(&beside, 80), at(&machine, 81));
        std::thread::spawn(move || {
            while let Ok((mut stream, from)) = door.accept() {
                let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                write!(stream, "{from}").expect("somebody listens");
            }
        });
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = own.accept() {
                write!(stream, "the machine").expect("somebody listens");
            }
        });
        let before = Traces::on(&machine);
        assert_eq!((before.interfaces.join(" "), &*before.forwards), ("eth0 lo".to_owned(), "0"));
        Ok(World { _lab: lab, machine, beside, before })
    }

    /// A command that is run by the machine's root.
    fn on_the_machine(&self, command: &Command) -> Command {
        let mut there = self.machine.command(command.get_program());
        there.args(command.get_args()).envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        for (name, _) in command.get_envs().filter(|(_, value)| value.is_none()) {
            there.env_remove(name);
        }
        if let Some(directory) = command.get_current_dir() {
            there.current_dir(directory);
        }
        there.env("CARGO_NET_OFFLINE", "true");
        there
    }

    fn cargo_test(&self, arguments: &[&str]) -> Ended {
        let harness = [&["test", "--test", "out", "--", "--nocapture", "--exact"], arguments].concat();
        Ended::of(&mut self.on_the_machine(&OUT.cargo(&harness)))
    }

    /// The tests' own binary, run by one whom the machine knows as its root, but who may not change its network.
    fn without_rights(&self, arguments: &[&str]) -> Command {
        let build = text(
            &self.on_the_machine(&OUT.cargo(&["test", "--no-run", "--test", "out"])).output().expect("cargo starts"),
        );
        let line = build.lines().find_map(|line| line.trim().strip_prefix("Executable tests/out.rs ("));
        let binary = line.and_then(|line| line.strip_suffix(')')).expect("cargo says where it is");
        let mut command = self.machine.command("unshare");
        command.args(["--user", "--map-root-user", binary, "--nocapture", "--exact"]).args(arguments);
        command
    }

    fn traces(&self) -> Traces {
        Traces::on(&self.machine)
    }

    fn must_be_clean(&self) {
        let since = Instant::now();
        loop {
            let (traces, left) = (self.traces(), ours());
            if traces == self.before && left.is_empty() {
                return;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "left are {traces:?} and {left:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What a way out changes on a machine.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    interfaces: Vec<String>,
    forwards: String,
    tables: usize,
}

impl Traces {
    fn on(machine: &Host) -> Traces {
        machine.enter(|| {
            let entries = fs::read_dir("/sys/class/net").expect("the host has its own /sys").flatten();
            let mut interfaces: Vec<_> =
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            interfaces.sort();
            let forwards = fs::read_to_string("/proc/sys/net/ipv4/ip_forward").expect("it is there");
            Traces { interfaces, forwards: forwards.trim().to_owned(), tables: tables() }
        })
    }
}

/// How many tables of nftables the calling thread's network has.
pub(crate) fn tables() -> usize {
    const NEW_TABLE: u16 = 10 << 8;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkNetFilter);
    let socket = socket.expect("a netlink socket");
    let mut question = Vec::new();
    question.extend(20_u32.to_ne_bytes());
    question.extend((NEW_TABLE + 1).to_ne_bytes());
    question.extend(((libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16).to_ne_bytes());
    question.extend([0; 12]);
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&socket);
    send(descriptor, &question, MsgFlags::empty()).expect("the kernel listens");
    let (mut count, mut buffer) = (0, vec![0; 32 << 10]);
    loop {
        let length = recv(descriptor, &mut buffer, MsgFlags::empty()).expect("the kernel answers");
        let mut rest = &buffer[..length];
        while rest.len() >= 16 {
            let size = u32::from_ne_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
            match u16::from_ne_bytes([rest[4], rest[5]]) {
                NEW_TABLE => count += 1,
                _ => return count,
            }
            rest = &rest[size.next_multiple_of(4).min(rest.len())..];
        }
    }
}

/// The processes of isotest that belong to the tests on the machine, by name.
fn ours() -> Vec<(i32, String)> {
    let numbers = fs::read_dir("/proc").expect("/proc can be read").flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|pid| *pid != 1);
    let named = numbers.filter_map(|pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (start, rest) = stat.rsplit_once(')')?;
        let name = start.split_once('(')?.1;
        let lives = !rest.trim_start().starts_with(['Z', 'X']);
        let ours = name.starts_with("isotest-")
            || name.starts_with("pas")
            || name.starts_with("out-")
            || name == "cargo-isotest";
        (lives && ours).then(|| (pid, name.to_owned()))
    });
    named.collect()
}

#[isotest(user = "root")]
fn hosts_behind_a_router_reach_what_the_machine_reaches() -> Result<()> {
    let world = World::new()?;
    let ended = world.cargo_test(&["from_behind_a_router"]).with(0);
    ended.says(&["alice was there and back"]);
    world.cargo_test(&["alice_reads_what_the_machine_serves"]).with(0).says(&["the machine is 100.64."]);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
fn the_test_s_own_network_may_be_linked_to_it_and_others_stay_apart() -> Result<()> {
    let world = World::new()?;
    world.cargo_test(&["from_the_test_itself_beside_hosts_that_are_connected_to_nothing_else"]).with(0);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
fn names_outside_are_those_that_the_machine_knows() -> Result<()> {
    let world = World::new()?;
    let test = "names_outside_are_known_to_those_who_have_a_way_there";
    world.cargo_test(&[test]).with(0).says(&["names are known"]);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
fn a_machine_whose_nameservers_are_silent_leaves_names_unknown() -> Result<()> {
    let world = World::new()?;
    let run = world.on_the_machine(&OUT.cargo(&["test", "--test", "out", "--", "--nocapture", "--exact"]));
    let mut silenced = world.machine.command("unshare");
    let mount = "printf 'nameserver 203.0.113.2\nnameserver 203.0.113.1\n' > /tmp/resolv.conf && \
                 mount --bind /tmp/resolv.conf /etc/resolv.conf && exec \"$@\"";
    silenced.args(["--mount", "sh", "-c", mount, "sh"]).arg(run.get_program()).args(run.get_args());
    silenced.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    silenced.arg("names_are_not_known_where_nobody_answers_on_the_machine");
    silenced.current_dir(run.get_current_dir().expect("the fixture's"));
    Ended::of(&mut silenced).with(0);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
fn ipv6_leads_out_where_the_machine_forwards_it() -> Result<()> {
    let world = World::new()?;
    world.cargo_test(&["not_by_ipv6"]).with(0);
    world.must_be_clean();
    world.machine.enter(|| fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1")).expect("root may");
    world.cargo_test(&["by_ipv6_too"]).with(0).says(&["alice was there by IPv6"]);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
fn beside_a_pretend_internet_it_is_refused() -> Result<()> {
    let world = World::new()?;
    let both = "building the lab: it has both a pretend internet and an uplink, and a default route leads to one only; leave one";
    world.cargo_test(&["beside_a_pretend_internet"]).with(101).says(&[both]);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
fn an_address_of_the_machine_that_no_link_leads_to_is_an_error() -> Result<()> {
    let world = World::new()?;
    let why = "looking for the machine's address: no link of `uplink` has IPv4, by which the machine is reached; take";
    world.cargo_test(&["the_machine_has_no_address_without_ipv4"]).with(101).says(&[why]);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
fn it_is_off_unless_asked_for() -> Result<()> {
    let world = World::new()?;
    let ended = world.cargo_test(&["unasked"]).with(101);
    ended.says(&[
        "adding an uplink to the lab: the test has not asked for a way out of its sandbox; write `#[isotest(uplink = true)]`",
    ]);
    world.cargo_test(&["unasked_and_without_a_descriptor"]).with(0);
    Ok(())
}

#[isotest(user = "root")]
fn the_runner_brings_it_to_tests_without_the_attribute() -> Result<()> {
    let world = World::new()?;
    let run = |configuration: &[&str]| {
        let arguments = [&["run", "-E", "test(=plain)"], configuration].concat();
        Ended::of(&mut world.on_the_machine(&OUT.cargo_isotest(&arguments)))
    };
    fs::write("/tmp/isotest.toml", "[profile.default.spec]\nuplink = true\n").expect("/tmp is the test's own");
    run(&["--config-file", "/tmp/isotest.toml"]).with(0);
    run(&[]).with(100).says(&["adding an uplink to the lab: the test has not asked for a way out"]);
    Ok(())
}

/// A run of the test that stays until its stream is closed.
struct Staying {
    run: Child,
    stream: std::net::TcpStream,
}

impl Staying {
    fn start(world: &World) -> Staying {
        Staying::of(world, world.on_the_machine(&OUT.cargo_isotest(&["run", "-E", "test(=stays)"])))
    }

    fn of(world: &World, mut command: Command) -> Staying {
        let door = world.beside.enter(|| TcpListener::bind(("0.0.0.0", 82)).expect("the port is free"));
        let (said, told) = std::io::pipe().expect("a pipe");
        let out = told.try_clone().expect("a descriptor is free");
        let mut run = command.stdin(Stdio::null()).stdout(out).stderr(told).spawn().expect("the runner starts");
        drop(command); // It holds the pipe open.
        std::thread::spawn(move || {
            let told = std::io::read_to_string(said).unwrap_or_default();
            println!("{told}");
        });
        door.set_nonblocking(true).expect("a socket can be asked first");
        loop {
            if let Ok((stream, _)) = door.accept() {
                return Staying { run, stream };
            }
            assert!(run.try_wait().expect("it can be asked").is_none(), "it ended before it was there");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn end(mut self) {
        drop(self.stream);
        self.run.wait().expect("it ends");
    }
}

#[isotest(user = "root")]
fn whoever_is_killed_nothing_of_it_stays_on_the_machine() -> Result<()> {
    let world = World::new()?;
    for victim in
        ["nobody", "cargo-isotest", "isotest-server", "isotest-porter", "isotest-warden", "isotest-init", "out-"]
    {
        let staying = Staying::start(&world);
        let there = world.traces();
        let more = (there.interfaces.len() - world.before.interfaces.len(), there.tables - world.before.tables);
        assert_eq!((more, &*there.forwards), ((1, 1), "1"), "{there:?}");
        let found = ours().into_iter().find(|(_, name)| name.starts_with(victim));
        assert!(found.is_some() || victim == "nobody", "there is no {victim} among {:?}", ours());
        if let Some((pid, _)) = found {
            kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is ours");
        }
        staying.end();
        world.must_be_clean();
    }
    Ok(())
}

#[isotest(user = "root")]
fn the_machine_forwards_until_the_last_of_several_is_gone() -> Result<()> {
    let world = World::new()?;
    let (first, second) = (Staying::start(&world), Staying::start(&world));
    first.end();
    let since = Instant::now();
    while world.traces().tables > world.before.tables + 1 {
        assert!(since.elapsed() < Duration::from_secs(30), "the first one's table stays");
    }
    assert_eq!(world.traces().forwards, "1", "the second one needs it");
    second.end();
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
fn a_machine_that_forwards_anyway_goes_on_to() -> Result<()> {
    let world = World::new()?;
    world.machine.enter(|| fs::write("/proc/sys/net/ipv4/ip_forward", "1")).expect("root may");
    let staying = Staying::start(&world);
    assert!(ours().iter().all(|(_, name)| name != "isotest-warden"), "nobody has to turn it off");
    staying.end();
    let since = Instant::now();
    while world.traces().interfaces.len() > 2 {
        assert!(since.elapsed() < Duration::from_secs(30), "{:?}", world.traces());
    }
    assert_eq!(world.traces().forwards, "1");
    Ok(())
}

#[isotest(user = "root")]
fn who_may_not_change_the_machine_s_network_is_told_of_both_ways() -> Result<()> {
    let world = World::new()?;
    let unshare = Command::new("sh").args(["-c", "command -v unshare"]).output().expect("sh starts");
    let mut command = world.without_rights(&["from_behind_a_router"]);
    // Where `unshare` is, pasta may be as well.
    fs::create_dir("/tmp/programs").expect("/tmp is the test's own");
    let unshare = String::from_utf8(unshare.stdout).expect("a path");
    std::os::unix::fs::symlink(unshare.trim(), "/tmp/programs/unshare").expect("it is new");
    let ended = Ended::of(command.env("PATH", "/tmp/programs")).with(101);
    ended.says(&["pasta, which needs no right to, is not installed; install it (`apt-get install passt`), or run the tests as root"]);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
#[ignore = "needs pasta and /dev/net/tun; .ci/run installs it"]
fn pasta_brings_those_out_who_may_not_change_the_machine_s_network() -> Result<()> {
    let world = World::new()?;
    Ended::of(&mut world.without_rights(&["from_behind_a_router"])).with(0).says(&["alice was there and back"]);
    let ended = Ended::of(&mut world.without_rights(&["alice_reads_what_the_machine_serves"])).with(0);
    ended.says(&["the machine is 100.64.0.1"]);
    let test = "names_outside_are_known_to_those_who_have_a_way_there";
    Ended::of(&mut world.without_rights(&[test])).with(0).says(&["names are known"]);
    Ended::of(&mut world.without_rights(&["by_ipv6_too"])).with(0).says(&["alice was there by IPv6"]);
    world.must_be_clean();
    Ok(())
}

#[isotest(user = "root")]
#[ignore = "needs pasta and /dev/net/tun; .ci/run installs it"]
fn pasta_dies_with_whoever_is_killed() -> Result<()> {
    let world = World::new()?;
    for victim in ["isotest-server", "isotest-porter", "isotest-warden", "isotest-init", "out-"] {
        let mut staying = Staying::of(&world, world.without_rights(&["stays"]));
        let there = ours();
        assert!(there.iter().any(|(_, name)| name.starts_with("pas")), "{there:?}");
        let (pid, _) = there.into_iter().find(|(_, name)| name.starts_with(victim)).expect("it runs");
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is ours");
        // Without pasta, the test hears nothing of the stream's end.
        staying.run.kill().expect("it has not been waited for");
        staying.end();
        world.must_be_clean();
    }
    Ok(())
}
