//! How much may be sent before the wires' thread has seen it? What has been sent waits in a queue of the CPU's, which has room for 1,000
//! packets (`net.core.netdev_max_backlog`) and drops what is more, and then in the memory from which the thread takes it. So each end of a
//! wire may send so much at once, and as much again when the thread has seen that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::brakes::{self, Allowance, Brakes, LEAST, longest_uncut};
use super::clerk::{Clerk, Order};
use super::intake::Room;

/// How many ends share what is granted at least: where one sends, another answers.
const FEW: usize = 2;
/// By how much the share of an end grows at once: by then others that send as well are known.
const GROWTH: u64 = 4;
/// After so long without a grant, and so long without a packet, an end may send less at once again, but still the longest.
const IDLE: Duration = Duration::from_millis(100);
const QUIET: Duration = Duration::from_millis(50);
/// After so long without a packet it may send its usual share only: by now, whatever had to wait at its brake has passed. The kernel may
/// look at that no earlier than when the longest would have passed while next to nothing did, after 0.3 s.
const VERY_QUIET: Duration = Duration::from_secs(1);

pub(super) struct Credit {
    ends: BTreeMap<usize, End>,
    /// Those that have asked for more.
    asking: Vec<usize>,
    /// What passes at each without being granted, because frames find room here.
    usual: Allowance,
    room: Room,
    is_closed: bool,
    /// When to look for those that have been granted nothing for long.
    review: Option<Instant>,
    clerk: Clerk,
}

struct End {
    /// What may be sent at once without being granted.
    usual: u64,
    /// How long a packet is at most that passes as one.
    longest_uncut: u64,
    /// What may be sent at once now.
    burst: u64,
    /// What can still come at once.
    left: u64,
    /// Since when it has been granted nothing.
    since: Instant,
    /// When the last has come.
    last: Instant,
    asks: bool,
}

/// What has become of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// It is carried away as it comes.
    Light,
    /// Some waits.
    Full,
    /// More waits than should.
    TooMuch,
}

impl Credit {
    pub(super) fn new(brakes: &Arc<Brakes>, room: Room) -> Credit {
        let clerk = Clerk::new(brakes);
        Credit::with(clerk, Instant::now(), brakes.ends(), room)
    }

    fn with(clerk: Clerk, now: Instant, ends: impl Iterator<Item = (usize, u64)>, room: Room) -> Credit {
        let ends: Vec<_> = ends.collect();
        let usual = Allowance::usual(room, ends.len());
        let ends = ends.into_iter().map(|(number, longest)| (number, End::new(now, usual.burst, longest))).collect();
        Credit { ends, asking: Vec::new(), usual, room, is_closed: false, review: None, clerk }
    }

    /// A frame of so many bytes has come from this end.
    pub(super) fn note(&mut self, now: Instant, number: usize, bytes: usize) {
        let Some(end) = self.ends.get_mut(&number) else { return };
        end.fill(now, self.usual.rate);
        end.left = end.left.saturating_sub(LEAST.max(bytes as u64));
        if end.left < end.enough() && !end.asks {
            end.asks = true;
            self.asking.push(number);
        }
    }

    /// Grants what was asked for, as far as the load allows, and the room there is.
    pub(super) fn settle(&mut self, now: Instant, load: Load, room: Room) {
        match (load, self.is_closed) {
            (Load::Light, false) if room != self.room => self.widen(now, room),
            (Load::TooMuch, false) => self.close(),
            (Load::Light, true) => self.open(now),
            (Load::Light, false) if !self.asking.is_empty() => self.grant(now),
            _ => {}
        }
        if !self.is_closed && self.review.is_some_and(|review| review <= now) {
            self.review(now);
        }
    }

    /// When to settle, if not before.
    pub(super) fn next(&self) -> Option<Instant> {
        self.review.filter(|_| !self.is_closed)
    }

    /// More may be sent now that there is more room.
    fn widen(&mut self, now: Instant, room: Room) {
        (self.room, self.usual) = (room, Allowance::usual(room, self.ends.len()));
        self.asking.clear();
        let (ends, usual) = (self.ends.iter_mut(), self.usual);
        let all = ends.map(|(number, end)| {
            end.usual = end.usual.max(usual.burst);
            end.burst = end.burst.max(end.usual);
            end.is_granted(now);
            (*number, usual.with(end.burst))
        });
        self.clerk.does(Order::Grant(all.collect()));
    }

    fn grant(&mut self, now: Instant) {
        let sending = self.ends.values().filter(|end| end.asks || end.is_enlarged()).count();
        let granted = brakes::granted(self.room);
        let share = granted / sending.max(FEW) as u64;
        let mut grants = Vec::with_capacity(self.asking.len());
        for number in self.asking.drain(..) {
            let Some(end) = self.ends.get_mut(&number) else { continue };
            end.burst = (end.burst * GROWTH).min(share).max(end.least());
            end.is_granted(now);
            grants.push((number, self.usual.with(end.burst)));
        }
        self.review.get_or_insert(now + IDLE);
        self.clerk.does(Order::Grant(grants));
    }

    fn close(&mut self) {
        self.is_closed = true;
        self.clerk.does(Order::Close);
    }

    /// Everyone begins anew.
    fn open(&mut self, now: Instant) {
        self.is_closed = false;
        self.asking.clear();
        let usual = self.usual;
        let everyone = self.ends.iter_mut().map(|(number, end)| {
            end.last = now; // What waited may pass only now.
            (*number, usual.with(end.begin(now, end.least())))
        });
        let everyone = everyone.collect();
        self.review.get_or_insert(now + IDLE);
        self.clerk.does(Order::Grant(everyone));
    }

    /// Takes back what those have who don't need it any more, so that all together do not have more than there is room for.
    fn review(&mut self, now: Instant) {
        let usual = self.usual;
        let enlarged = self.ends.iter_mut().filter(|(_, end)| end.is_enlarged());
        let idle = enlarged.filter_map(|(number, end)| {
            let need = end.needs(now);
            (need < end.burst).then(|| (*number, usual.with(end.begin(now, need))))
        });
        let idle: Vec<_> = idle.collect();
        self.review = self.ends.values().any(End::is_enlarged).then_some(now + IDLE);
        if !idle.is_empty() {
            self.clerk.does(Order::Grant(idle));
        }
    }
}

impl End {
    fn new(now: Instant, burst: u64, longest: u64) -> End {
        let usual = burst.max(longest);
        let longest_uncut = longest_uncut(longest);
        End { usual, longest_uncut, burst: usual, left: usual, since: now, last: now, asks: false }
    }

    /// As time passes it may send more, up to what it may at once.
    fn fill(&mut self, now: Instant, rate: u64) {
        if now == self.last {
            return; // As most of those that have come at once.
        }
        // Within a second it has all that it may have.
        let passed = (now - self.last).min(Duration::from_secs(1));
        let more = rate * passed.as_micros() as u64 / 1_000_000;
        (self.left, self.last) = (self.burst.min(self.left.saturating_add(more)), now);
    }

    /// It may send as much as it may at once.
    fn is_granted(&mut self, now: Instant) {
        (self.left, self.since, self.asks) = (self.burst, now, false);
    }

    /// Who has so much left is granted no more. It is as much as the longest that TCP makes of many.
    fn enough(&self) -> u64 {
        self.burst / 2
    }

    fn is_enlarged(&self) -> bool {
        self.burst > self.usual
    }

    /// What it keeps as long as something may wait at its brake, which has let in the longest as one if it fitted. Where it no longer did,
    /// it and all behind it would wait for ever.
    fn least(&self) -> u64 {
        self.usual.max(self.burst.min(self.longest_uncut))
    }

    /// What it should keep, by how long it has not sent.
    fn needs(&self, now: Instant) -> u64 {
        match (now - self.since, now - self.last) {
            _ if self.asks => self.burst,
            (_, quiet) if quiet >= VERY_QUIET => self.usual,
            (idle, quiet) if idle >= IDLE && quiet >= QUIET => self.least(),
            _ => self.burst,
        }
    }

    /// It may send so much at once, and has nothing on its way; gives how much.
    fn begin(&mut self, now: Instant, burst: u64) -> u64 {
        self.burst = burst;
        self.is_granted(now);
        burst
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Receiver;

    use super::super::super::brakes::{GRANTED, LONGEST_UNCUT};
    use super::*;

    const RING: Room = Room::Ring(10_000);
    /// Of two ends.
    const USUAL: u64 = 32 * LEAST;
    const USUAL_WITH_RING: u64 = 64 * LEAST;

    /// That of so many ends, and what the clerk would be told.
    fn credit(ends: usize, longest: u64, room: Room) -> (Credit, Receiver<Order>, Instant) {
        let (clerk, told) = Clerk::heard();
        let now = Instant::now();
        (Credit::with(clerk, now, (0..ends).map(|number| (number, longest)), room), told, now)
    }

    /// So many packets come at once.
    fn come(credit: &mut Credit, now: Instant, end: usize, count: u64) {
        (0..count).for_each(|_| credit.note(now, end, 60));
    }

    fn granted(told: &Receiver<Order>) -> Vec<(usize, u64)> {
        let grants = told.try_iter().map(|order| match order {
            Order::Grant(grants) => grants.into_iter().map(|(end, allowance)| (end, allowance.burst)),
            Order::Close => panic!("nothing is too much"),
        });
        grants.flatten().collect()
    }

    #[test]
    fn what_all_may_send_at_once_has_room_in_the_kernels_queue() {
        for ends in [1, 2, 3, 8, 20, 60, 200] {
            let (mut credit, _told, now) = credit(ends, LEAST, Room::Socket);
            for round in 0..50 {
                // Each sends all that it may, one after the other, and the thread takes 64 at a time.
                for end in 0..ends {
                    let may = credit.ends[&end].left / LEAST;
                    for taken in 0..may {
                        credit.note(now, end, 60);
                        if taken % 64 == 63 {
                            credit.settle(now, Load::Light, RING);
                        }
                    }
                    credit.settle(now, Load::Light, RING);
                    let all: u64 = credit.ends.values().map(|end| end.left / LEAST).sum();
                    assert!(all < 1000, "{ends} ends, round {round}, end {end}: {all}");
                }
            }
        }
    }

    #[test]
    fn who_sends_much_is_granted_more() {
        let (mut credit, told, now) = credit(2, LEAST, RING);
        come(&mut credit, now, 0, 32);
        credit.settle(now, Load::Light, RING);
        assert_eq!(granted(&told), []);
        come(&mut credit, now, 0, 1);
        credit.settle(now, Load::Full, RING);
        assert_eq!(granted(&told), []);
        credit.settle(now, Load::Light, RING);
        assert_eq!(granted(&told), [(0, GRANTED / 2)]);
    }

    #[test]
    fn all_may_send_more_once_there_is_a_ring() {
        let (mut credit, told, now) = credit(2, LEAST, Room::Socket);
        assert_eq!(credit.ends[&0].left, USUAL);
        credit.settle(now, Load::Light, RING);
        assert_eq!(granted(&told), [(0, USUAL_WITH_RING), (1, USUAL_WITH_RING)]);
        come(&mut credit, now, 0, 60);
        credit.settle(now, Load::Light, RING);
        assert_eq!(granted(&told), [(0, GRANTED / 2)]);
    }

    #[test]
    fn what_waits_as_one_still_fits_when_its_end_may_send_less() {
        let (mut credit, told, start) = credit(40, LEAST, RING);
        let usual = credit.usual.burst;
        come(&mut credit, start, 0, 200);
        credit.settle(start, Load::Light, RING);
        come(&mut credit, start, 0, 200);
        credit.settle(start, Load::Light, RING);
        assert_eq!(granted(&told), [(0, GROWTH * usual), (0, GROWTH * GROWTH * usual)]);
        for end in 0..40 {
            come(&mut credit, start, end, 200);
        }
        credit.settle(start, Load::Light, RING);
        assert_eq!(granted(&told)[..2], [(0, LONGEST_UNCUT), (1, usual)]);
        credit.settle(start, Load::TooMuch, RING);
        credit.settle(start, Load::Light, RING);
        let orders: Vec<_> = told.try_iter().skip(1).collect();
        let first = |grants: &[(usize, Allowance)]| (grants[0].0, grants[0].1.burst);
        assert!(matches!(&orders[..], [Order::Grant(grants)] if first(grants) == (0, LONGEST_UNCUT)), "{orders:?}");
        // It is given up when nothing waits any more.
        let (soon, later) = (start + IDLE, start + IDLE + VERY_QUIET);
        credit.note(soon, 0, 60);
        credit.settle(soon, Load::Light, RING);
        assert!(granted(&told).iter().all(|grant| grant.0 != 0));
        credit.settle(later, Load::Light, RING);
        assert_eq!(granted(&told)[0], (0, usual));
    }

    #[test]
    fn two_of_the_longest_packets_are_kept_room_for() {
        let longest = 65_535 + 22;
        let (mut credit, told, start) = credit(2, longest, RING);
        come(&mut credit, start, 0, 200);
        credit.settle(start, Load::Light, RING);
        assert_eq!(granted(&told), [(0, GRANTED / 2)]);
        credit.settle(start + IDLE, Load::Light, RING);
        assert_eq!(granted(&told), [(0, 2 * longest)]);
    }

    #[test]
    fn what_passes_by_itself_is_granted_nothing() {
        let (mut credit, told, start) = credit(2, LEAST, Room::Socket);
        let rate = Allowance::usual(Room::Socket, 2).rate;
        let every = Duration::from_nanos(1_000_000_000 * LEAST * 2 / rate);
        for number in 1..=1000 {
            let now = start + (every + Duration::from_micros(10)) * number;
            credit.note(now, 0, 60);
            credit.settle(now, Load::Light, Room::Socket);
        }
        assert_eq!(granted(&told), []);
        assert_eq!(credit.next(), None);
    }

    #[test]
    fn who_has_been_idle_for_long_has_the_usual_again() {
        let (mut credit, told, start) = credit(20, LEAST, RING);
        let usual = credit.usual.burst;
        for _ in 0..2 {
            come(&mut credit, start, 0, 200);
            credit.settle(start, Load::Light, RING);
        }
        assert_eq!(granted(&told), [(0, GROWTH * usual), (0, GRANTED / 2)]);
        let review = credit.next().expect("it will be looked at");
        assert_eq!(review, start + IDLE);
        credit.settle(review, Load::Light, RING);
        assert_eq!(granted(&told), [(0, LONGEST_UNCUT)]);
        let later = start + VERY_QUIET - Duration::from_millis(1);
        credit.settle(later, Load::Light, RING);
        assert_eq!(granted(&told), []);
        credit.settle(later + IDLE, Load::Light, RING);
        assert_eq!((granted(&told), credit.next()), (vec![(0, usual)], None));
    }

    #[test]
    fn nothing_is_granted_while_much_waits_and_all_is_held_back_when_that_is_too_much() {
        let (mut credit, told, now) = credit(2, LEAST, RING);
        come(&mut credit, now, 0, 20);
        credit.settle(now, Load::Full, RING);
        assert!(told.try_recv().is_err());
        credit.settle(now, Load::TooMuch, RING);
        credit.settle(now, Load::TooMuch, RING);
        credit.settle(now, Load::Full, RING);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [Order::Close]);
        credit.settle(now, Load::Light, RING);
        assert_eq!(granted(&told), [(0, USUAL_WITH_RING), (1, USUAL_WITH_RING)]);
    }
}
