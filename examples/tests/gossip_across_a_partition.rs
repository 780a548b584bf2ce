//! A cluster that is split and healed: foca, which keeps a list of who is alive by gossip (SWIM), on five hosts.
//!
//! Today a split is played by a mock of the transport, which never loses what a real socket has in flight; or by firewall rules on
//! five virtual machines, as root, that somebody has to take away again.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use foca::{AccumulatingRuntime, Config, Foca, Identity, PeriodicParams, PostcardCodec, Timer};
use isotest::isotest;
use isotest::lab::{Host, Lab, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

#[isotest(timeout = "120s")]
fn both_halves_go_on_alone_and_find_together_again() -> Result<()> {
    let lab = Lab::new()?;
    let hosts = ["a", "b", "c", "d", "e"].map(|name| lab.host(name));
    let [a, b, c, d, e] = hosts;
    let hosts = [&a?, &b?, &c?, &d?, &e?];
    lab.switch("lan")?.connect(&hosts)?;
    let members: Vec<Member> = hosts.iter().map(|host| Member::start(host, hosts[0], lab.seed())).collect();
    all_see(&members, &hosts);

    let (left, right) = hosts.split_at(2);
    lab.partition(left, right)?;
    all_see(&members[..2], left);
    all_see(&members[2..], right);

    lab.heal()?;
    all_see(&members, &hosts);
    Ok(())
}

/// A member of the cluster, and what it last said of who is alive.
struct Member {
    alive: Receiver<BTreeSet<Ipv4Addr>>,
}

impl Member {
    /// Starts one in a host; it joins the cluster through another.
    fn start(host: &Host, through: &Host, seed: u64) -> Member {
        let (tell, alive) = channel();
        let (own, through) = (host.address(), through.address());
        let generator = StdRng::seed_from_u64(seed ^ u64::from(own.to_bits()));
        host.spawn(move || Agent::new(own, generator, tell).live(through)).expect("a thread starts");
        Member { alive }
    }
}

/// Waits until each of these sees all of those and no others. The test's time limit ends it otherwise.
fn all_see(members: &[Member], hosts: &[&Host]) {
    let expected: BTreeSet<_> = hosts.iter().map(|host| host.address()).collect();
    for member in members {
        let seen = member.alive.iter().find(|alive| *alive == expected);
        assert_eq!(seen, Some(expected.clone()), "the member has ended");
    }
}

/// Where a member is; the number tells it from the one that the others have declared dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Id {
    address: Ipv4Addr,
    life: u32,
}

impl Identity for Id {
    type Addr = Ipv4Addr;

    fn renew(&self) -> Option<Id> {
        Some(Id { life: self.life + 1, ..*self })
    }

    fn addr(&self) -> Ipv4Addr {
        self.address
    }

    fn win_addr_conflict(&self, adversary: &Id) -> bool {
        self.life > adversary.life
    }
}

/// Drives foca by a real socket and a real clock.
struct Agent {
    foca: Foca<Id, PostcardCodec, StdRng, foca::NoCustomBroadcast>,
    wishes: AccumulatingRuntime<Id>,
    timers: Vec<(Instant, Timer<Id>)>,
    socket: UdpSocket,
    tell: Sender<BTreeSet<Ipv4Addr>>,
}

const PORT: u16 = 7946;

impl Agent {
    fn new(address: Ipv4Addr, generator: StdRng, tell: Sender<BTreeSet<Ipv4Addr>>) -> Agent {
        let socket = UdpSocket::bind((address, PORT)).expect("each host has this port to itself");
        let foca = Foca::new(Id { address, life: 0 }, impatient(), generator, PostcardCodec);
        Agent { foca, wishes: AccumulatingRuntime::new(), timers: Vec::new(), socket, tell }
    }

    /// Until nobody asks any more.
    fn live(mut self, through: Ipv4Addr) {
        let mut datagram = [0; 1500];
        let own = self.foca.identity().address;
        while self.tell.send(self.alive(own)).is_ok() {
            if self.foca.num_members() == 0 && own != through {
                self.foca.announce(Id { address: through, life: 0 }, &mut self.wishes).expect("it can be sent");
            }
            self.fulfil();
            self.socket.set_read_timeout(Some(self.until_next())).expect("the time is not zero");
            match self.socket.recv(&mut datagram) {
                // What foca can't use, an old datagram say, it refuses; that is no failure.
                Ok(length) => drop(self.foca.handle_data(&datagram[..length], &mut self.wishes)),
                Err(error) => assert!(is_timeout(&error), "{error}"),
            }
            let now = Instant::now();
            for (_, timer) in self.timers.extract_if(.., |(due, _)| *due <= now) {
                drop(self.foca.handle_timer(timer, &mut self.wishes));
            }
        }
    }

    fn alive(&self, own: Ipv4Addr) -> BTreeSet<Ipv4Addr> {
        self.foca.iter_members().map(|member| member.id().address).chain([own]).collect()
    }

    fn fulfil(&mut self) {
        while let Some((to, datagram)) = self.wishes.to_send() {
            // A destination that is cut off may be told as unreachable: gossip is there to cope with that.
            self.socket.send_to(&datagram, SocketAddr::from((to.address, PORT))).ok();
        }
        while let Some((after, timer)) = self.wishes.to_schedule() {
            self.timers.push((Instant::now() + after, timer));
        }
        while self.wishes.to_notify().is_some() {}
    }

    fn until_next(&self) -> Duration {
        let next = self.timers.iter().map(|(due, _)| due.saturating_duration_since(Instant::now())).min();
        next.unwrap_or(Duration::MAX).clamp(Duration::from_millis(1), Duration::from_millis(50))
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    // A port that nobody listens at yet is told to who has sent there.
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused)
}

/// Foca's own settings are for machines apart, with time to spare.
fn impatient() -> Config {
    let every = |milliseconds, members: usize| {
        let num_members = members.try_into().expect("more than none");
        Some(PeriodicParams { frequency: Duration::from_millis(milliseconds), num_members })
    };
    Config {
        probe_period: Duration::from_millis(150),
        probe_rtt: Duration::from_millis(60),
        suspect_to_down_after: Duration::from_millis(450),
        periodic_gossip: every(60, 3),
        periodic_announce: every(500, 1),
        periodic_announce_to_down_members: every(300, 2),
        notify_down_members: true,
        ..Config::simple()
    }
}
