//! Does each packet get what it is due?

use super::*;

const BYTES: usize = 100;
const NOBODY: [u8; 0] = [];

/// A frame of the kind that faults befall, with a number.
fn frame(number: u8) -> Vec<u8> {
    let mut frame = vec![0; BYTES];
    frame[12..14].copy_from_slice(&[0x08, 0x00]);
    frame[BYTES - 1] = number;
    frame
}

struct Road {
    way: Way,
    start: Instant,
}

impl Road {
    fn with(faults: Faults) -> Road {
        Road { way: Way::new(Chance::new(1, 0, 0), faults), start: Instant::now() }
    }

    /// Sends at a time in milliseconds; gives how often it is delivered at once.
    fn send(&mut self, at: u64, number: u8) -> usize {
        match self.way.arrive(self.start + Duration::from_millis(at), &mut frame(number)) {
            Verdict::Deliver(copies) => copies,
            Verdict::Forget => 0,
        }
    }

    /// What arrives up to a time in milliseconds.
    fn arrived(&mut self, at: u64) -> Vec<u8> {
        let now = self.start + Duration::from_millis(at);
        std::iter::from_fn(|| self.way.next_due(now)).map(|frame| frame[BYTES - 1]).collect()
    }

    fn alarm(&self) -> Option<u128> {
        self.way.alarm().map(|alarm| (alarm - self.start).as_millis())
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn nothing_waits_where_nothing_is_wrong() {
    let mut road = Road::with(Faults::new());
    assert_eq!((road.send(0, 1), road.alarm()), (1, None));
}

#[test]
fn latency_ends_when_it_should() {
    let mut road = Road::with(Faults::new().latency(ms(20)));
    assert_eq!((road.send(0, 1), road.send(5, 2)), (0, 0));
    assert_eq!(road.alarm(), Some(20));
    assert_eq!(road.arrived(19), NOBODY);
    assert_eq!(road.arrived(20), [1]);
    assert_eq!(road.alarm(), Some(25));
    assert_eq!(road.arrived(30), [2]);
    assert_eq!((road.alarm(), road.way.bytes_in_line), (None, 0));
}

#[test]
fn a_shorter_latency_lets_nobody_overtake_those_on_the_way() {
    let mut road = Road::with(Faults::new().latency(ms(50)));
    road.send(0, 1);
    road.way.set(Faults::new());
    assert_eq!(road.send(10, 2), 0);
    assert_eq!(road.arrived(49), NOBODY);
    assert_eq!(road.arrived(50), [1, 2]);
}

#[test]
fn jitter_is_on_both_sides_of_the_latency() {
    let chosen = Faults::new().latency(ms(20)).jitter(ms(10));
    let delays: Vec<u128> = (0..200)
        .map(|packet| {
            let mut road = Road::with(chosen.clone());
            road.way.fates.packets = packet;
            road.send(0, 1);
            road.alarm().expect("it is on its way")
        })
        .collect();
    assert!(delays.iter().all(|delay| (10..=30).contains(delay)));
    let (early, late) =
        (delays.iter().filter(|delay| **delay < 15).count(), delays.iter().filter(|delay| **delay >= 25).count());
    assert!(early > 25 && late > 25, "of 200 each has a quarter: {early}, {late}");
}

#[test]
fn a_rate_spaces_packets_and_its_queue_has_an_end() {
    // Each takes 10 ms.
    let slow = Faults::new().rate(Rate::bits(BYTES as u64 * 8 * 100)).queue(Queue::Packets(2));
    let mut road = Road::with(slow);
    for number in 1..=3 {
        road.send(0, number);
    }
    assert_eq!(road.way.fates().crowded_out, 1);
    assert_eq!(road.arrived(9), NOBODY);
    assert_eq!(road.arrived(10), [1]);
    road.send(10, 4);
    assert_eq!(road.arrived(30), [2, 4]);
    // An idle line has no debts.
    road.send(100, 5);
    assert_eq!(road.alarm(), Some(110));
}

#[test]
fn a_queue_of_bytes_takes_one_packet_however_large() {
    let mut road = Road::with(Faults::new().rate(Rate::kbit(1.0)).queue(Queue::Bytes(1)));
    road.send(0, 1);
    road.send(0, 2);
    assert_eq!((road.way.line.len(), road.way.fates().crowded_out), (1, 1));
}

#[test]
fn a_held_packet_is_overtaken_by_as_many_as_said_or_its_patience_ends() {
    let mut road = Road::with(Faults::new().reorder(1.0, 2));
    assert_eq!(road.send(0, 1), 0);
    road.way.set(Faults::new());
    assert_eq!((road.send(1, 2), road.arrived(1)), (1, vec![]));
    assert_eq!((road.send(2, 3), road.arrived(2)), (1, vec![1]));
    road.way.set(Faults::new().reorder(1.0, 2));
    road.send(10, 4);
    assert_eq!(road.alarm(), Some(510));
    assert_eq!(road.arrived(510), [4]);
    assert_eq!(road.way.bytes_in_line, 0);
}

#[test]
fn the_way_takes_no_more_memory_than_it_may() {
    let mut road = Road::with(Faults::new().latency(ms(1000)));
    road.way.bytes_in_line = MOST_IN_LINE - BYTES;
    road.send(0, 1);
    road.send(0, 2);
    assert_eq!((road.way.line.len(), road.way.fates().crowded_out), (1, 1));
}

#[test]
fn what_kernels_say_to_one_another_is_neither_lost_nor_counted() {
    let mut road = Road::with(Faults::new().loss(1.0));
    let mut arp = frame(1);
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    assert_eq!(road.way.arrive(road.start, &mut arp), Verdict::Deliver(1));
    assert_eq!(road.send(0, 2), 0);
    assert_eq!((road.way.fates().packets, road.way.fates().lost), (1, 1));
}
