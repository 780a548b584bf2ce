//! Which numbers make no sense, and what was probably meant?

use std::time::Duration;

use super::{Faults, GilbertElliott, Queue, Rate};
use crate::lab::error::{Error, Result};

/// Beyond that it is a mistake of units.
const LONGEST: Duration = Duration::from_secs(3600);
/// The smallest packet that every link must carry (RFC 791), and the largest of all.
const BLACK_HOLE: std::ops::RangeInclusive<u32> = 68..=65535;

impl Faults {
    /// Finds the first that makes none, for the link that `whose` describes.
    pub(crate) fn check(&self, whose: &str) -> Result<()> {
        self.check_bursts(whose)?;
        self.check_probabilities(whose)?;
        self.check_times(whose)?;
        self.check_numbers(whose)?;
        self.check_sizes(whose)
    }

    /// By the numbers that were written, not by the probabilities that follow from them.
    fn check_bursts(&self, whose: &str) -> Result<()> {
        let Some((share, length)) = self.bursts.and_then(|bursts| bursts.asked) else { return Ok(()) };
        if !(length.is_finite() && length >= 1.0) {
            let what = format!("bursts of {length} packets");
            let cause = "a burst is at least one packet long, and ends";
            return Err(impossible(whose, &what, cause).remedy("write `loss` where losses come alone"));
        }
        // Even where a new burst begins after every packet that passes, one has passed.
        let most = length / (length + 1.0);
        if !(0.0..=most).contains(&share) {
            let what = format!("bursts of {length} packets that make up a share of {share}");
            let cause = format!("between two bursts a packet passes, so a share is from 0.0 to {}", rounded(most));
            return Err(impossible(whose, &what, &cause).remedy("write 0.05 for 5 %"));
        }
        Ok(())
    }

    fn check_probabilities(&self, whose: &str) -> Result<()> {
        let mut all = vec![
            ("a loss", self.loss),
            ("a duplication", self.duplicate),
            ("a reordering", self.reorder),
            ("a corruption", self.corrupt),
        ];
        if let Some(GilbertElliott { to_bad, to_good, loss_in_good, loss_in_bad, .. }) = self.bursts {
            let bursts = [
                ("a beginning of bursts", to_bad),
                ("an end of bursts", to_good),
                ("a loss outside of bursts", loss_in_good),
                ("a loss in bursts", loss_in_bad),
            ];
            all.extend(bursts);
        }
        let wrong = all.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share));
        wrong.map_or(Ok(()), |(what, share)| {
            let remedy = match share {
                share if share > 1.0 && share <= 100.0 => format!("write {} for {share} %", rounded(share / 100.0)),
                _ => "write 0.05 for 5 %".to_owned(),
            };
            Err(impossible(whose, &format!("{what} of {share}"), "a probability is from 0.0 to 1.0").remedy(remedy))
        })
    }

    fn check_times(&self, whose: &str) -> Result<()> {
        if self.jitter > self.latency {
            let what = format!("a jitter of {:?} around a latency of {:?}", self.jitter, self.latency);
            let cause = "packets would arrive before they were sent";
            return Err(
                impossible(whose, &what, cause).remedy(format!("ask for a latency of at least {:?}", self.jitter))
            );
        }
        if self.latency > LONGEST {
            let what = format!("a latency of {:?}", self.latency);
            return Err(
                impossible(whose, &what, "more than an hour is longer than a test waits").remedy("mind the unit")
            );
        }
        Ok(())
    }

    fn check_numbers(&self, whose: &str) -> Result<()> {
        if self.lose.first() == Some(&0) {
            let remedy = "the first packet is number 1";
            return Err(impossible(whose, "losing packet number 0", "packets are counted from 1 on").remedy(remedy));
        }
        if self.reorder > 0.0 && self.reorder_by == 0 {
            let what = "a reordering by 0 packets";
            return Err(impossible(whose, what, "that is none").remedy("write 1 to swap neighbours"));
        }
        Ok(())
    }

    fn check_sizes(&self, whose: &str) -> Result<()> {
        let sound = |bits: f64| bits.is_finite() && bits >= 1.0;
        if let Some(Rate(bits)) = self.rate.filter(|rate| !sound(rate.0)) {
            let (cause, remedy) = if bits > 1.0 {
                ("a rate is a limit", "leave `rate` out where there is none")
            } else {
                ("a rate is at least one bit per second", "write `loss(1.0)` to let nothing pass")
            };
            return Err(impossible(whose, &format!("a rate of {bits} bits per second"), cause).remedy(remedy));
        }
        match self.queue {
            Some(Queue::Bytes(0) | Queue::Packets(0)) => {
                let remedy = "leave room for one packet at least: `Queue::Packets(1)`";
                return Err(impossible(whose, "a queue of nothing", "no packet would ever pass").remedy(remedy));
            }
            Some(_) if self.rate.is_none() => {
                let remedy = "say at which `rate` it empties";
                return Err(impossible(whose, "a queue", "without a rate nothing waits in it").remedy(remedy));
            }
            _ => {}
        }
        if let Some(bytes) = self.black_hole.filter(|bytes| !BLACK_HOLE.contains(bytes)) {
            let cause = format!("packets are from {} to {} bytes", BLACK_HOLE.start(), BLACK_HOLE.end());
            let remedy = "write the size of the largest packet that passes, such as 1400";
            return Err(impossible(whose, &format!("a black hole beyond {bytes} bytes"), &cause).remedy(remedy));
        }
        Ok(())
    }
}

fn impossible(whose: &str, what: &str, cause: &str) -> Error {
    Error::new(format!("asking {whose} for {what}"), cause)
}

/// Without the noise of binary fractions: 130 / 100 is 1.3.
fn rounded(share: f64) -> f64 {
    (share * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(faults: &Faults) -> String {
        faults.check("the link").expect_err("it is impossible").to_string()
    }

    #[test]
    fn probabilities_are_from_0_to_1() {
        assert_eq!(
            said(&Faults::new().loss(5.0)),
            "asking the link for a loss of 5: a probability is from 0.0 to 1.0; write 0.05 for 5 %"
        );
        assert_eq!(
            said(&Faults::new().duplicate(-0.1)),
            "asking the link for a duplication of -0.1: a probability is from 0.0 to 1.0; write 0.05 for 5 %"
        );
        said(&Faults::new().corrupt(f64::NAN));
        said(&Faults::new().reorder(130.0, 1));
        said(&Faults::new().loss_bursts(GilbertElliott::bursts(1.0, 3.0)));
        said(&Faults::new().loss_bursts(GilbertElliott::new(0.1, 0.1).losing(0.0, 2.0)));
        Faults::new().loss(1.0).check("the link").expect("everything can be lost");
    }

    #[test]
    fn bursts_are_judged_by_the_numbers_that_were_written() {
        let said_of = |share, length| said(&Faults::new().loss_bursts(GilbertElliott::bursts(share, length)));
        assert_eq!(
            said_of(5.0, 4.0),
            "asking the link for bursts of 4 packets that make up a share of 5: between two bursts a packet passes, so a share is from 0.0 to 0.8; write 0.05 for 5 %"
        );
        assert_eq!(
            said_of(0.1, f64::INFINITY),
            "asking the link for bursts of inf packets: a burst is at least one packet long, and ends; write `loss` where losses come alone"
        );
        said_of(0.1, 0.5);
        said_of(0.9, 4.0);
        said_of(f64::NAN, 4.0);
        said_of(0.1, f64::NAN);
        Faults::new().loss_bursts(GilbertElliott::bursts(0.5, 1.0)).check("the link").expect("every second packet");
    }

    #[test]
    fn times_are_possible() {
        let (short, long) = (Duration::from_millis(20), Duration::from_millis(30));
        assert_eq!(
            said(&Faults::new().latency(short).jitter(long)),
            "asking the link for a jitter of 30ms around a latency of 20ms: packets would arrive before they were sent; ask for a latency of at least 30ms"
        );
        said(&Faults::new().latency(Duration::from_secs(4000)));
        Faults::new().latency(long).jitter(long).check("the link").expect("some arrive at once");
    }

    #[test]
    fn rates_queues_and_sizes_are_possible() {
        said(&Faults::new().rate(Rate::bits(0)));
        said(&Faults::new().rate(Rate::mbit(f64::NAN)));
        said(&Faults::new().rate(Rate::mbit(-1.0)));
        assert_eq!(
            said(&Faults::new().rate(Rate::mbit(f64::INFINITY))),
            "asking the link for a rate of inf bits per second: a rate is a limit; leave `rate` out where there is none"
        );
        said(&Faults::new().rate(Rate::mbit(1.0)).queue(Queue::Packets(0)));
        said(&Faults::new().queue(Queue::Packets(9)));
        said(&Faults::new().mtu_black_hole(20));
        said(&Faults::new().lose_nth([3, 0]));
        said(&Faults::new().reorder(0.5, 0));
    }
}
