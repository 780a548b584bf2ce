//! What can be wrong with a link?

mod possible;
mod told;

use std::time::Duration;

/// What is wrong with a link, or with one way over it. Nothing at first; each method adds one thing. Probabilities are shares of one:
/// `0.05` is 5 %. [`Link::faults`](super::Link::faults) sees to it, and checks the numbers.
///
/// A packet that comes along is, in this order: swallowed for its size, lost, damaged, queued for its turn, delayed, held back,
/// doubled.
///
/// ```no_run
/// # use isotest::lab::{Lab, Result};
/// # fn test() -> Result<()> {
/// use std::time::Duration;
///
/// use isotest::lab::{Faults, Rate};
///
/// let lab = Lab::new()?;
/// let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
/// let link = lab.link(&alice, &bob)?;
/// link.faults(Faults::new().latency(Duration::from_millis(20)).loss(0.05).rate(Rate::mbit(10.0)))?;
/// // Later, while packets are on their way:
/// link.faults_from(&alice, Faults::new().loss(1.0))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    pub(super) latency: Duration,
    pub(super) jitter: Duration,
    pub(super) loss: f64,
    pub(super) bursts: Option<GilbertElliott>,
    /// In order, without doubles.
    pub(super) lose: Vec<u64>,
    pub(super) duplicate: f64,
    pub(super) reorder: f64,
    /// By how many packets; 0 where nothing is said.
    pub(super) reorder_by: u32,
    pub(super) corrupt: f64,
    pub(super) rate: Option<Rate>,
    pub(super) queue: Option<Queue>,
    pub(super) black_hole: Option<u32>,
}

/// Losses that come in bursts (Gilbert 1960, Elliott 1963): the link is in a good or in a bad state, and each packet may change it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GilbertElliott {
    pub(super) to_bad: f64,
    pub(super) to_good: f64,
    pub(super) loss_in_good: f64,
    pub(super) loss_in_bad: f64,
    /// The share and the mean length that it was made of, if it was.
    pub(super) asked: Option<(f64, f64)>,
}

impl GilbertElliott {
    /// Bursts of this mean length, in packets, that make up this share of all: `bursts(0.05, 10.0)` loses 5 % of the packets, ten in a
    /// row on average.
    #[must_use]
    pub fn bursts(share: f64, mean_length: f64) -> GilbertElliott {
        let to_good = 1.0 / mean_length;
        let asked = Some((share, mean_length));
        GilbertElliott { asked, ..GilbertElliott::new(to_good * share / (1.0 - share), to_good) }
    }

    /// With each packet a good link becomes bad with the probability `to_bad`, and a bad one good with the probability `to_good`.
    /// While it is bad, it loses all; while it is good, none.
    #[must_use]
    pub fn new(to_bad: f64, to_good: f64) -> GilbertElliott {
        GilbertElliott { to_bad, to_good, loss_in_good: 0.0, loss_in_bad: 1.0, asked: None }
    }

    /// Says which share is lost in each of the two states.
    #[must_use]
    pub fn losing(self, in_good: f64, in_bad: f64) -> GilbertElliott {
        GilbertElliott { loss_in_good: in_good, loss_in_bad: in_bad, ..self }
    }
}

/// How many bits pass per second, Ethernet headers included.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate(pub(super) f64);

impl Rate {
    /// This many bits per second.
    #[must_use]
    pub fn bits(per_second: u64) -> Rate {
        Rate(per_second as f64)
    }

    /// This many thousands of bits per second.
    #[must_use]
    pub fn kbit(per_second: f64) -> Rate {
        Rate(per_second * 1e3)
    }

    /// This many millions of bits per second.
    #[must_use]
    pub fn mbit(per_second: f64) -> Rate {
        Rate(per_second * 1e6)
    }

    /// This many thousand millions of bits per second.
    #[must_use]
    pub fn gbit(per_second: f64) -> Rate {
        Rate(per_second * 1e9)
    }
}

/// How much waits in front of a rate's bottleneck, the packet in it included. What finds it full is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queue {
    /// This many bytes, Ethernet headers included.
    Bytes(u64),
    /// This many packets.
    Packets(u64),
}

impl Faults {
    /// Nothing is wrong.
    #[must_use]
    pub fn new() -> Faults {
        Faults::default()
    }

    /// How long each packet is on its way. An answer takes twice as long where both ways have it.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Faults {
        Faults { latency, ..self }
    }

    /// By how much the latency of each packet may differ from what is asked for, to either side; all differences are equally likely. No packet
    /// overtakes another by it, for which there is [`Faults::reorder`]: it waits for the one before it, so that packets which follow one another
    /// within that time are late more often than early.
    #[must_use]
    pub fn jitter(self, jitter: Duration) -> Faults {
        Faults { jitter, ..self }
    }

    /// Loses each packet with this probability.
    #[must_use]
    pub fn loss(self, probability: f64) -> Faults {
        Faults { loss: probability, ..self }
    }

    /// Loses packets in bursts.
    #[must_use]
    pub fn loss_bursts(self, bursts: GilbertElliott) -> Faults {
        Faults { bursts: Some(bursts), ..self }
    }

    /// Loses exactly these packets. The first after the faults were set is number 1. Given twice, it loses both.
    #[must_use]
    pub fn lose_nth(mut self, packets: impl IntoIterator<Item = u64>) -> Faults {
        self.lose.extend(packets);
        self.lose.sort_unstable();
        self.lose.dedup();
        self
    }

    /// Delivers each packet twice with this probability.
    #[must_use]
    pub fn duplicate(self, probability: f64) -> Faults {
        Faults { duplicate: probability, ..self }
    }

    /// Holds each packet back with this probability, until as many later ones have overtaken it as `by` says: 1 swaps neighbours. It
    /// does not wait for those longer than half a second.
    #[must_use]
    pub fn reorder(self, probability: f64, by: u32) -> Faults {
        Faults { reorder: probability, reorder_by: by, ..self }
    }

    /// Turns one bit of a packet with this probability, behind its Ethernet header. TCP and UDP see from the checksum that it is damaged,
    /// and drop it; of IPv6, traffic class, flow label and hop limit are under no checksum.
    #[must_use]
    pub fn corrupt(self, probability: f64) -> Faults {
        Faults { corrupt: probability, ..self }
    }

    /// Lets no more pass than this. What comes faster waits in a queue of 100 packets, or as [`Faults::queue`] says.
    #[must_use]
    pub fn rate(self, rate: Rate) -> Faults {
        Faults { rate: Some(rate), ..self }
    }

    /// Chooses how much waits for its turn under a [`Faults::rate`].
    #[must_use]
    pub fn queue(self, queue: Queue) -> Faults {
        Faults { queue: Some(queue), ..self }
    }

    /// Swallows packets of more bytes than this, Ethernet headers not counted, and tells nobody of it: a black hole for senders that wait
    /// for ICMP to tell them of the path's MTU.
    #[must_use]
    pub fn mtu_black_hole(self, bytes: u32) -> Faults {
        Faults { black_hole: Some(bytes), ..self }
    }
}
