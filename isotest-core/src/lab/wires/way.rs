//! What becomes of each frame that goes one way over a wire, and when? Time is given to it, so that it needs none of its own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::chance::{Chance, Purpose};
use super::super::fates::Fates;
use super::super::faults::{Faults, GilbertElliott, Queue, Rate};
use super::frame;
use super::overtaken::Overtaken;

/// One way over a wire.
#[derive(Debug)]
pub(crate) struct Way {
    chance: Chance,
    faults: Faults,
    fates: Fates,
    /// How many packets had come when the faults were set.
    before: u64,
    /// Whether a burst of losses goes on.
    bad: bool,
    bottleneck: Bottleneck,
    /// What is on its way, in order.
    line: VecDeque<(Instant, Vec<u8>)>,
    bytes_in_line: usize,
    overtaken: Overtaken,
}

/// Where packets wait for their turn.
#[derive(Debug, Default)]
struct Bottleneck {
    /// When each has passed, and how long it is.
    waiting: VecDeque<(Instant, u64)>,
    bytes: u64,
}

/// What is to be done with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Deliver it at once, this often.
    Deliver(usize),
    /// It was taken, to be delivered later; or it is lost.
    Forget,
}

/// What waits where nothing is said.
const QUEUE: Queue = Queue::Packets(100);
/// How long a packet waits to be overtaken.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many bytes are on their way at most.
const MOST_IN_LINE: usize = 64 << 20;
/// How many packets are remembered by number.
const MOST_REMEMBERED: usize = 1 << 16;

impl Way {
    pub(crate) fn new(chance: Chance, faults: Faults) -> Way {
        Way {
            chance,
            faults,
            fates: Fates::default(),
            before: 0,
            bad: false,
            bottleneck: Bottleneck::default(),
            line: VecDeque::new(),
            bytes_in_line: 0,
            overtaken: Overtaken::default(),
        }
    }

    /// Changes what is wrong. What is on its way already stays so.
    pub(crate) fn set(&mut self, faults: Faults) {
        self.faults = faults;
        self.before = self.fates.packets;
        self.bad = false;
    }

    pub(crate) fn fates(&self) -> &Fates {
        &self.fates
    }

    /// Decides about a frame that comes along.
    pub(crate) fn arrive(&mut self, now: Instant, frame: &mut [u8]) -> Verdict {
        if frame::is_between_kernels(frame) {
            return Verdict::Deliver(1);
        }
        self.fates.packets += 1;
        let number = self.fates.packets;
        let lost = self.loses(number);
        if self.faults.black_hole.is_some_and(|most| frame.len() - frame::header(frame) > most as usize) {
            self.fates.swallowed += 1;
            return Verdict::Forget;
        }
        if lost {
            self.fates.lost += 1;
            if self.fates.which_lost.len() < MOST_REMEMBERED {
                self.fates.which_lost.push(number);
            }
            return Verdict::Forget;
        }
        let happens = |purpose, probability| self.chance.happens(purpose, number, probability);
        let doubled = happens(Purpose::Duplicate, self.faults.duplicate);
        let reordered = happens(Purpose::Reorder, self.faults.reorder);
        if happens(Purpose::Corrupt, self.faults.corrupt) {
            self.fates.corrupted += 1;
            frame::damage(frame, self.chance.number(Purpose::Bit, number));
        }
        let Some(due) = self.due(now, number, frame.len()) else {
            self.fates.crowded_out += 1;
            return Verdict::Forget;
        };
        self.fates.duplicated += u64::from(doubled);
        let copies = 1 + usize::from(doubled);
        if reordered {
            self.hold_back(due, frame, copies);
            return Verdict::Forget;
        }
        self.forward(now, due, frame, copies)
    }

    /// Whether chance, or a number, says that this packet gets lost.
    fn loses(&mut self, number: u64) -> bool {
        let happens = |purpose, probability| self.chance.happens(purpose, number, probability);
        let in_burst =
            self.faults.bursts.is_some_and(|GilbertElliott { to_bad, to_good, loss_in_good, loss_in_bad, .. }| {
                let turns = happens(Purpose::Burst, if self.bad { to_good } else { to_bad });
                self.bad ^= turns;
                happens(Purpose::LossInBurst, if self.bad { loss_in_bad } else { loss_in_good })
            });
        let alone = happens(Purpose::Loss, self.faults.loss);
        let by_number = self.faults.lose.binary_search(&(number - self.before)).is_ok();
        in_burst || alone || by_number
    }

    /// When a packet arrives at the other end; `None` where there is no room for it.
    fn due(&mut self, now: Instant, number: u64, bytes: usize) -> Option<Instant> {
        if self.bytes_in_line + bytes > MOST_IN_LINE {
            return None;
        }
        let mut due = now;
        if let Some(rate) = self.faults.rate {
            due = self.bottleneck.pass(now, bytes as u64, rate, self.faults.queue.unwrap_or(QUEUE))?;
        }
        let jitter = self.faults.jitter;
        let early = jitter.mul_f64(2.0 * self.chance.share(Purpose::Jitter, number));
        due = due + self.faults.latency + jitter - early;
        // Nobody overtakes those before.
        Some(self.line.back().map_or(due, |(before, _)| due.max(*before)))
    }

    /// Has others overtake it.
    fn hold_back(&mut self, due: Instant, frame: &[u8], copies: usize) {
        self.fates.reordered += 1;
        self.bytes_in_line += frame.len() * copies;
        for _ in 0..copies {
            self.overtaken.wait(self.faults.reorder_by, due + PATIENCE, frame.to_vec());
        }
    }

    fn forward(&mut self, now: Instant, due: Instant, frame: &[u8], copies: usize) -> Verdict {
        let at_once = due <= now && self.line.is_empty();
        if !at_once {
            self.bytes_in_line += frame.len() * copies;
            self.line.extend((0..copies).map(|_| (due, frame.to_vec())));
        }
        self.overtaken.pass();
        self.line.extend(std::iter::from_fn(|| self.overtaken.next()).map(|frame| (due, frame)));
        if at_once { Verdict::Deliver(copies) } else { Verdict::Forget }
    }

    /// The next frame whose time has come.
    pub(crate) fn next_due(&mut self, now: Instant) -> Option<Vec<u8>> {
        let has_come = self.line.front().is_some_and(|(due, _)| *due <= now);
        let frame = if has_come { self.line.pop_front()?.1 } else { self.overtaken.next_impatient(now)? };
        self.bytes_in_line -= frame.len();
        Some(frame)
    }

    /// When to ask for it.
    pub(crate) fn alarm(&self) -> Option<Instant> {
        let of_line = self.line.front().map(|(due, _)| *due);
        of_line.into_iter().chain(self.overtaken.until()).min()
    }
}

impl Bottleneck {
    /// Takes a packet in, if there is room; gives when it has passed.
    fn pass(&mut self, now: Instant, bytes: u64, Rate(bits): Rate, room: Queue) -> Option<Instant> {
        while let Some((_, bytes)) = self.waiting.front().copied().filter(|(passed, _)| *passed <= now) {
            self.waiting.pop_front();
            self.bytes -= bytes;
        }
        let fits = match room {
            Queue::Packets(most) => (self.waiting.len() as u64) < most,
            // One that is alone passes, however large.
            Queue::Bytes(most) => self.waiting.is_empty() || self.bytes + bytes <= most,
        };
        if !fits {
            return None;
        }
        let free = self.waiting.back().map_or(now, |(passed, _)| *passed);
        let passed = free + Duration::from_secs_f64((bytes * 8) as f64 / bits);
        self.waiting.push_back((passed, bytes));
        self.bytes += bytes;
        Some(passed)
    }
}

#[cfg(test)]
mod tests;
