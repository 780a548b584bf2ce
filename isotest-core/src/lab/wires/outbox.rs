//! Which frames could not be sent yet? Taking frames in goes before sending them, because the kernel holds few that have come and this
//! holds many.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::Result;
use nix::errno::Errno;

use super::number_of;
use crate::sys::frames;

/// A frame, and the number of the interface that it leaves by.
pub(super) type Addressed<'a> = (u32, &'a [u8]);

/// Sends frames, each by its interface; gives how many were sent before one was refused, or why the first was.
pub(super) type Send<'s> = &'s mut dyn FnMut(&[Addressed<'_>]) -> Result<usize>;

/// What became of frames at the end of their way, beside what the kernel has counted rightly.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// How often the kernel counted one as dropped that was sent again.
    again: AtomicU64,
    /// How many were lost that it did not count.
    uncounted: AtomicU64,
}

impl Refusals {
    /// How many were dropped, where the kernel has counted so many.
    pub(crate) fn correct(&self, dropped: u64) -> u64 {
        let uncounted = self.uncounted.load(Ordering::Relaxed);
        (dropped + uncounted).saturating_sub(self.again.load(Ordering::Relaxed))
    }
}

/// Frames on their way out, in order as far as they leave by the same interface.
pub(super) struct Outbox<'r> {
    waiting: VecDeque<(u32, Vec<u8>)>,
    /// By the number of their interface, those that wait for others which were refused there.
    lanes: BTreeMap<u32, Lane>,
    /// Those of each interface.
    refusals: &'r [Refusals],
    bytes: usize,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Vec<u8>>,
    /// Since when the first is refused.
    since: Option<Instant>,
    /// As long as this is what could not be delivered, as where the receiver's MTU is shorter.
    refused: Option<usize>,
}

/// How long a frame is tried to be delivered while the other end has no room.
const INSISTENCE: Duration = Duration::from_millis(500);
/// How long the other end is left alone then.
const PAUSE: Duration = Duration::from_micros(50);
/// How many bytes wait at most before no more are taken in.
const MOST: usize = 256 << 20;
/// Where so many in a row are refused, the kernel has no room for any.
const ALL: usize = 8;

/// What a refused frame does.
#[derive(PartialEq, Eq)]
enum Then {
    Waits,
    IsLost,
}

impl<'r> Outbox<'r> {
    pub(super) fn new(refusals: &'r [Refusals]) -> Outbox<'r> {
        Outbox { waiting: VecDeque::new(), lanes: BTreeMap::new(), refusals, bytes: 0 }
    }

    /// Sends frames behind those that wait.
    pub(super) fn put(&mut self, now: Instant, frames: &[Addressed<'_>], send: Send<'_>) -> Result<()> {
        let sent = if self.waiting.is_empty() { self.send(now, frames, send)? } else { 0 };
        self.keep(&frames[sent..]);
        Ok(())
    }

    /// Has frames wait behind the others.
    pub(super) fn keep(&mut self, frames: &[Addressed<'_>]) {
        for (interface, frame) in frames {
            self.bytes += frame.len();
            self.waiting.push_back((*interface, frame.to_vec()));
        }
    }

    /// Sends some of those that wait.
    pub(super) fn go_on(&mut self, now: Instant, send: Send<'_>) -> Result<()> {
        if self.is_held_up() {
            self.try_again(now, send)?;
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        let first: Vec<_> = waiting.iter().take(frames::AT_ONCE).map(|(to, frame)| (*to, frame.as_slice())).collect();
        let done = self.send(now, &first, send);
        drop(first);
        self.waiting = waiting;
        self.bytes -= self.waiting.drain(..done?).map(|(_, frame)| frame.len()).sum::<usize>();
        Ok(())
    }

    /// When to go on.
    pub(super) fn next(&self) -> Option<Duration> {
        let held_up = self.is_held_up();
        let pause = if held_up { PAUSE } else { Duration::ZERO };
        (held_up || !self.waiting.is_empty()).then_some(pause)
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether no more are to be taken in.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > MOST
    }

    fn is_held_up(&self) -> bool {
        self.lanes.values().any(|lane| !lane.waiting.is_empty())
    }

    /// Whether a frame to this interface has to wait for others.
    fn waits(&self, interface: u32) -> bool {
        self.lanes.get(&interface).is_some_and(|lane| !lane.waiting.is_empty())
    }

    /// Sends frames; gives how many were sent, are lost, or wait with others that were refused before.
    fn send(&mut self, now: Instant, frames: &[Addressed<'_>], send: Send<'_>) -> Result<usize> {
        let (mut done, mut refused) = (0, 0);
        while done < frames.len() && refused < ALL {
            let (interface, frame) = frames[done];
            if self.waits(interface) {
                self.hold(interface, frame);
                done += 1;
                continue;
            }
            let rest = &frames[done..];
            let free = rest.iter().position(|(interface, _)| self.waits(*interface)).unwrap_or(rest.len());
            match send(&rest[..free]) {
                Ok(sent) => {
                    rest[..sent].iter().for_each(|(interface, frame)| self.is_delivered(*interface, frame.len()));
                    (done, refused) = (done + sent, 0);
                }
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    if self.is_refused(now, interface, frame.len(), errno)? == Then::Waits {
                        self.hold(interface, frame);
                    }
                    (done, refused) = (done + 1, refused + 1);
                }
            }
        }
        Ok(done)
    }

    /// Sends some of those that were refused, or wait for such, in turn.
    fn try_again(&mut self, now: Instant, send: Send<'_>) -> Result<()> {
        let mut refused = 0;
        let held_up = self.lanes.iter().filter(|(_, lane)| !lane.waiting.is_empty());
        let mut held_up: Vec<_> = held_up.map(|(interface, lane)| (lane.since, *interface)).collect();
        held_up.sort_unstable();
        for (_, interface) in held_up {
            if refused == ALL {
                break;
            }
            let waiting = std::mem::take(&mut self.lanes.entry(interface).or_default().waiting);
            let first: Vec<Addressed<'_>> =
                waiting.iter().take(frames::AT_ONCE).map(|frame| (interface, &**frame)).collect();
            let mut done = 0;
            while done < first.len() {
                match send(&first[done..]) {
                    Ok(sent) => {
                        first[done..done + sent]
                            .iter()
                            .for_each(|(_, frame)| self.is_delivered(interface, frame.len()));
                        done += sent;
                    }
                    Err(Errno::EINTR) => {}
                    Err(errno) if self.is_refused(now, interface, first[done].1.len(), errno)? == Then::Waits => {
                        refused += 1;
                        break;
                    }
                    Err(_) => done += 1,
                }
            }
            drop(first);
            let lane = self.lanes.entry(interface).or_default();
            lane.waiting = waiting;
            self.bytes -= lane.waiting.drain(..done).map(|frame| frame.len()).sum::<usize>();
        }
        Ok(())
    }

    fn hold(&mut self, interface: u32, frame: &[u8]) {
        self.bytes += frame.len();
        self.lanes.entry(interface).or_default().waiting.push_back(frame.to_vec());
    }

    /// Says that a frame of this length was.
    fn is_delivered(&mut self, interface: u32, length: usize) {
        if let Some(lane) = self.lanes.get_mut(&interface) {
            lane.since = None;
            lane.refused = lane.refused.filter(|refused| length < *refused);
        }
    }

    /// Decides about a frame of this length. What can't be sent, because the host there is gone or its interface down, is lost as on a
    /// cable without another end.
    fn is_refused(&mut self, now: Instant, interface: u32, length: usize, errno: Errno) -> Result<Then> {
        let Refusals { again, uncounted } = &self.refusals[number_of(interface)];
        let is_counted = match errno {
            Errno::ENOBUFS => 1,
            Errno::EAGAIN => 0,
            Errno::EBADF | Errno::EFAULT | Errno::ENOTSOCK => return Err(errno),
            _ => {
                uncounted.fetch_add(1, Ordering::Relaxed);
                return Ok(Then::IsLost);
            }
        };
        let lane = self.lanes.entry(interface).or_default();
        let is_late = now.saturating_duration_since(*lane.since.get_or_insert(now)) >= INSISTENCE;
        if is_late || lane.refused.is_some_and(|refused| length >= refused) {
            lane.since = None;
            lane.refused = Some(lane.refused.map_or(length, |refused| refused.min(length)));
            uncounted.fetch_add(1 - is_counted, Ordering::Relaxed);
            return Ok(Then::IsLost);
        }
        again.fetch_add(is_counted, Ordering::Relaxed);
        Ok(Then::Waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::plan::FIRST;

    /// Where frames to some interfaces are refused.
    #[derive(Default)]
    struct Kernel {
        /// Of which length they are refused, by interface.
        refuses: BTreeMap<u32, usize>,
        delivered: Vec<(u32, usize)>,
        asked: usize,
    }

    impl Kernel {
        fn send(&mut self) -> impl FnMut(&[Addressed<'_>]) -> Result<usize> {
            |frames| {
                self.asked += 1;
                let passes =
                    |(to, frame): &Addressed<'_>| self.refuses.get(to).is_none_or(|least| frame.len() < *least);
                let sent = frames.iter().position(|frame| !passes(frame)).unwrap_or(frames.len());
                self.delivered.extend(frames[..sent].iter().map(|(to, frame)| (*to, frame.len())));
                if sent == 0 { Err(Errno::ENOBUFS) } else { Ok(sent) }
            }
        }
    }

    const BOB: u32 = FIRST;
    const DAVE: u32 = FIRST + 1;

    #[test]
    fn who_refuses_holds_up_nobody_else() {
        let refusals = [Refusals::default(), Refusals::default()];
        let (mut outbox, mut kernel, now) = (Outbox::new(&refusals), Kernel::default(), Instant::now());
        kernel.refuses.insert(BOB, 1000);
        let frames: [Addressed<'_>; 4] = [(BOB, &[0; 1400]), (DAVE, &[0; 1400]), (BOB, &[0; 100]), (DAVE, &[0; 90])];
        outbox.put(now, &frames, &mut kernel.send()).expect("it works");
        assert_eq!(kernel.delivered, [(DAVE, 1400), (DAVE, 90)]);
        assert_eq!((outbox.bytes(), outbox.next()), (1500, Some(PAUSE)));
        for _ in 0..10 {
            outbox.go_on(now, &mut kernel.send()).expect("it works");
        }
        assert_eq!((outbox.bytes(), refusals[0].correct(11)), (1500, 0), "all of these are tried again");
        kernel.refuses.clear();
        outbox.go_on(now, &mut kernel.send()).expect("it works");
        assert_eq!(kernel.delivered[2..], [(BOB, 1400), (BOB, 100)], "in order");
        assert_eq!((outbox.bytes(), outbox.next()), (0, None));
    }

    #[test]
    fn what_is_never_taken_is_waited_for_once() {
        let refusals = [Refusals::default()];
        let (mut outbox, mut kernel, start) = (Outbox::new(&refusals), Kernel::default(), Instant::now());
        kernel.refuses.insert(BOB, 1000);
        let long: Addressed<'_> = (BOB, &[0; 1400]);
        outbox.put(start, &[long; 5], &mut kernel.send()).expect("it works");
        outbox.put(start, &[(BOB, &[0; 60])], &mut kernel.send()).expect("it works");
        outbox.go_on(start + INSISTENCE, &mut kernel.send()).expect("it works");
        assert_eq!(kernel.delivered, [(BOB, 60)]);
        outbox.put(start + INSISTENCE, &[long; 5], &mut kernel.send()).expect("it works");
        assert_eq!(outbox.bytes(), 0, "these are not waited for");
        assert_eq!(refusals[0].correct(11), 10, "of eleven times, one was tried again");
        kernel.refuses.clear();
        outbox.put(start + INSISTENCE, &[long], &mut kernel.send()).expect("it works");
        kernel.refuses.insert(BOB, 1000);
        outbox.put(start + INSISTENCE, &[long], &mut kernel.send()).expect("it works");
        assert_eq!(outbox.bytes(), 1400, "since one was taken they are waited for");
    }

    #[test]
    fn a_kernel_without_room_for_any_is_not_asked_for_each() {
        let refusals: Vec<_> = (0..100).map(|_| Refusals::default()).collect();
        let (mut outbox, mut kernel, now) = (Outbox::new(&refusals), Kernel::default(), Instant::now());
        let frames: Vec<Addressed<'_>> = (0..64).map(|to| (FIRST + to, &[0; 60][..])).collect();
        kernel.refuses = (0..100).map(|to| (FIRST + to, 0)).collect();
        outbox.put(now, &frames, &mut kernel.send()).expect("it works");
        assert_eq!((kernel.asked, outbox.bytes()), (ALL, 64 * 60));
        outbox.go_on(now, &mut kernel.send()).expect("it works");
        assert!(kernel.asked <= 3 * ALL, "{}", kernel.asked);
        kernel.refuses.clear();
        for _ in 0..64 {
            outbox.go_on(now, &mut kernel.send()).expect("it works");
        }
        assert_eq!((kernel.delivered.len(), outbox.bytes()), (64, 0));
    }
}
