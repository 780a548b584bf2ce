//! How is the kernel told of faults? One function per message, `tc-netem(8)`, `tc-tbf(8)`; linux/pkt_sched.h.

use super::faults::{Faults, GilbertElliott, Rate};
use crate::netlink::{Batch, attributes};

/// Where a rate is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In front of the interface.
    Root,
    /// Behind netem.
    WithinNetem,
}

const ROOT: u32 = u32::MAX;
const NETEM: u32 = 0x1_0000;
const WITHIN_NETEM: u32 = 0x1_0001;
/// Each place has a number of its own: a discipline that is known by its number already is moved, and not told anything.
const TBF: u32 = 0x2_0000;
const TBF_WITHIN_NETEM: u32 = 0x3_0000;
/// The queue within a brake, its class of packets that find no room, and where those find none.
const WITHIN_BRAKE: u32 = 0x5_0000;
pub(crate) const KICK: u32 = 0x5_0001;
const NO_ROOM: u32 = 0x6_0000;
/// `TC_LINKLAYER_ETHERNET`.
const ETHERNET: u8 = 1;
/// Makes it, or changes the one of this number; another one in its place goes.
const SET: i32 = libc::NLM_F_CREATE | libc::NLM_F_REPLACE;

/// `struct tcmsg`: the interface, the discipline's own number, and its parent's.
fn header(index: u32, handle: u32, parent: u32) -> [u8; 20] {
    let mut header = [0; 20];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&handle.to_ne_bytes());
    header[12..16].copy_from_slice(&parent.to_ne_bytes());
    header
}

/// Whatever is in front of an interface.
pub(crate) fn root(index: u32) -> [u8; 20] {
    header(index, 0, ROOT)
}

/// Where [`kickable`] has no room.
pub(crate) fn no_room(index: u32) -> [u8; 20] {
    header(index, 0, KICK)
}

/// What a discipline has counted, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    pub(crate) waiting: u32,
    pub(crate) dropped: u32,
}

/// By what the kernel tells of it.
pub(crate) fn counted(told: &[u8]) -> Queue {
    /// `TCA_STATS_QUEUE` of linux/gen_stats.h: `struct gnet_stats_queue`, in which what waits is the first word, and drops are the third.
    const QUEUE: u16 = 3;
    let within = |bytes, wanted| attributes(bytes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let all = told.get(20..).and_then(|bytes| within(bytes, libc::TCA_STATS2));
    let queue = all.and_then(|statistics| within(statistics, QUEUE)).unwrap_or_default();
    let word = |at: usize| queue.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes);
    Queue { waiting: word(0), dropped: word(8) }
}

/// Delay, loss, duplication and damage.
pub(crate) fn netem(batch: &mut Batch, index: u32, faults: &Faults) {
    const CORRUPT: u16 = 4;
    const LOSS: u16 = 5;
    const RATE: u16 = 8;
    const LATENCY: u16 = 10;
    const JITTER: u16 = 11;
    /// `NETEM_LOSS_GE`.
    const GILBERT_ELLIOTT: u16 = 2;
    /// How many packets are on their way at most.
    const LIMIT: u32 = 100_000;
    batch.add(libc::RTM_NEWQDISC, SET, &header(index, NETEM, ROOT), |message| {
        // `struct tc_netem_qopt`: latency, limit, loss, gap, duplicate, jitter; the times come as attributes.
        let fixed = [0, LIMIT, scaled(faults.loss), 0, scaled(faults.duplicate), 0];
        message.text(libc::TCA_KIND, "netem").nest_after(
            libc::TCA_OPTIONS,
            &fixed.map(u32::to_ne_bytes).concat(),
            |options| {
                options.put(LATENCY, &(faults.latency.as_nanos() as i64).to_ne_bytes());
                options.put(JITTER, &(faults.jitter.as_nanos() as i64).to_ne_bytes());
                // Only where there is a rate does a packet wait for those before it. This one takes no time of its own.
                options.put(RATE, &u64::MAX.to_ne_bytes());
                if faults.corrupt > 0.0 {
                    options.put(CORRUPT, &[scaled(faults.corrupt), 0].map(u32::to_ne_bytes).concat());
                }
                if let Some(GilbertElliott { to_bad, to_good, loss_in_good, loss_in_bad, .. }) = faults.bursts {
                    // The third is what passes in the bad state.
                    let model =
                        [to_bad, to_good, 1.0 - loss_in_bad, loss_in_good].map(scaled).map(u32::to_ne_bytes).concat();
                    options.nest(LOSS, |loss| {
                        loss.put(GILBERT_ELLIOTT, &model);
                    });
                }
            },
        );
    });
}

/// A rate, with room for so many bytes that wait, in steps of a frame at least.
pub(crate) fn tbf(batch: &mut Batch, index: u32, place: Place, Rate(bits): Rate, room: u64, frame: u64) {
    let bytes = ((bits / 8.0) as u64).max(1);
    let (handle, parent) = match place {
        Place::Root => (TBF, ROOT),
        Place::WithinNetem => (TBF_WITHIN_NETEM, WITHIN_NETEM),
    };
    // What passes in four milliseconds: the kernel's clock need not be finer.
    let bucket = Bucket { rate: bytes, burst: (bytes / 250).max(frame), room, least: 0 };
    bucket.write(batch, SET, &header(index, handle, parent));
}

/// Holds back what is more than so many bytes per second and at once, where every packet counts as `least` bytes at least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brake {
    pub(crate) rate: u64,
    pub(crate) burst: u64,
    pub(crate) least: u16,
}

impl Brake {
    /// Puts it on.
    pub(crate) fn put_on(self, batch: &mut Batch, index: u32) {
        self.bucket().write(batch, SET, &header(index, TBF, ROOT));
    }

    /// Changes one that is there.
    pub(crate) fn change(self, batch: &mut Batch, index: u32) {
        self.bucket().write(batch, libc::NLM_F_REPLACE, &header(index, TBF, ROOT));
    }

    fn bucket(self) -> Bucket {
        Bucket { rate: self.rate, burst: self.burst, room: BRAKE_ROOM, least: self.least }
    }
}

/// More than sockets will have on their way.
const BRAKE_ROOM: u64 = 256 << 20;

/// Within a brake: a queue in which only packets of [`KICK`]'s priority have no room, so that the kernel looks at what waits when one is
/// sent. `htb` keeps those that are of no class in a queue of its own, `tc-htb(8)`.
pub(crate) fn kickable(batch: &mut Batch, index: u32, longest: u64) {
    const INITIAL: u16 = 2;
    const UNCLASSIFIED: u16 = 5;
    const CLASS: u16 = 1;
    let packets = capped(BRAKE_ROOM / longest.max(1));
    batch.add(libc::RTM_NEWQDISC, SET, &header(index, WITHIN_BRAKE, TBF | 1), |message| {
        // `struct tc_htb_glob`: the version, how large a class's turn is, and the class of the others, which is none.
        let all = [3, 10, 0, 0, 0_u32].map(u32::to_ne_bytes).concat();
        message.text(libc::TCA_KIND, "htb").nest(libc::TCA_OPTIONS, |options| {
            options.put(INITIAL, &all).number(UNCLASSIFIED, packets);
        });
    });
    batch.add(libc::RTM_NEWTCLASS, SET, &header(index, KICK, WITHIN_BRAKE), |message| {
        // `struct tc_htb_opt`: a rate and a higher one, how much passes at once at each, and the size of a turn.
        let rate = [[0, ETHERNET, 0, 0, 0, 0, 0, 0].to_vec(), 1_000_000_u32.to_ne_bytes().to_vec()].concat();
        let rest = [1000, 1000, 10_000, 0, 0_u32].map(u32::to_ne_bytes).concat();
        message.text(libc::TCA_KIND, "htb").nest(libc::TCA_OPTIONS, |options| {
            options.put(CLASS, &[rate.clone(), rate, rest].concat());
        });
    });
    batch.add(libc::RTM_NEWQDISC, SET, &header(index, NO_ROOM, KICK), |message| {
        message.text(libc::TCA_KIND, "pfifo").put(libc::TCA_OPTIONS, &0_u32.to_ne_bytes());
    });
}

/// What tbf is told of.
struct Bucket {
    /// Bytes per second.
    rate: u64,
    burst: u64,
    /// How many bytes wait at most.
    room: u64,
    /// As how many bytes each packet counts at least.
    least: u16,
}

impl Bucket {
    fn write(&self, batch: &mut Batch, flags: i32, header: &[u8; 20]) {
        const PARAMETERS: u16 = 1;
        const RATE: u16 = 4;
        const BURST: u16 = 6;
        // `struct tc_tbf_qopt`: two `struct tc_ratespec`, of which the second is for a peak, then limit, buffer and MTU.
        let mut parameters = vec![0, ETHERNET, 0, 0, 0, 0];
        parameters.extend(self.least.to_ne_bytes());
        parameters.extend(capped(self.rate).to_ne_bytes());
        parameters.extend([0; 12]);
        parameters.extend(capped(self.room).to_ne_bytes());
        parameters.extend([0; 8]);
        batch.add(libc::RTM_NEWQDISC, flags, header, |message| {
            message.text(libc::TCA_KIND, "tbf").nest(libc::TCA_OPTIONS, |options| {
                options.put(PARAMETERS, &parameters).number(BURST, capped(self.burst));
                if self.rate > u64::from(u32::MAX) {
                    options.put(RATE, &self.rate.to_ne_bytes());
                }
            });
        });
    }
}

/// A probability, of the largest number.
fn scaled(share: f64) -> u32 {
    (share * f64::from(u32::MAX)) as u32
}

fn capped(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The kind of the discipline in a message, and its options.
    fn read(batch: &Batch) -> (Vec<u8>, Vec<u8>) {
        let bytes = batch.bytes();
        let find = |wanted: u16| {
            attributes(&bytes[16 + 20..]).find(|(kind, _)| *kind == wanted).expect("it is there").1.to_vec()
        };
        (find(libc::TCA_KIND), find(libc::TCA_OPTIONS))
    }

    #[test]
    fn netem_is_told_of_delay_loss_and_bursts() {
        let faults = Faults::new().latency(Duration::from_millis(20)).loss(0.5);
        let mut batch = Batch::default();
        netem(&mut batch, 7, &faults.loss_bursts(GilbertElliott::new(0.25, 1.0)));
        let (kind, options) = read(&batch);
        assert_eq!(kind, b"netem\0");
        let word = |at: usize| u32::from_ne_bytes(options[at..at + 4].try_into().expect("four"));
        assert_eq!([0, 4, 8, 12, 16, 20].map(word), [0, 100_000, u32::MAX / 2, 0, 0, 0]);
        let all: Vec<_> = attributes(&options[24..]).collect();
        assert_eq!(all[0], (10, &20_000_000_i64.to_ne_bytes()[..]));
        assert_eq!(all[1], (11, &0_i64.to_ne_bytes()[..]));
        assert_eq!(all[2], (8, &u64::MAX.to_ne_bytes()[..]));
        let (loss, model) = all[3];
        let expected = [u32::MAX / 4, u32::MAX, 0, 0].map(u32::to_ne_bytes).concat();
        assert_eq!((loss, attributes(model).next()), (5, Some((2, &expected[..]))));
    }

    #[test]
    fn tbf_is_told_of_rate_room_and_burst() {
        let mut batch = Batch::default();
        tbf(&mut batch, 7, Place::Root, Rate::mbit(8.0), 50_000, 1514);
        let (kind, options) = read(&batch);
        assert_eq!(kind, b"tbf\0");
        let all: Vec<_> = attributes(&options).collect();
        let word = |at: usize| u32::from_ne_bytes(all[0].1[at..at + 4].try_into().expect("four"));
        assert_eq!((all[0].1.len(), word(8), word(24)), (36, 1_000_000, 50_000));
        assert_eq!(all[1], (6, &4000_u32.to_ne_bytes()[..]));
    }

    #[test]
    fn a_brake_counts_small_packets_as_larger_ones() {
        let mut batch = Batch::default();
        Brake { rate: 1_000_000, burst: 24_000, least: 768 }.put_on(&mut batch, 7);
        let (_, options) = read(&batch);
        let (_, parameters) = attributes(&options).next().expect("there are parameters");
        assert_eq!(parameters[6..12], [&768_u16.to_ne_bytes()[..], &1_000_000_u32.to_ne_bytes()].concat());
    }
}
