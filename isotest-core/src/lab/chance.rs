//! What befalls the n-th packet, as far as chance decides? A pure function of seed, link, direction and number, so that nothing that
//! happens to one packet changes what happens to another, and no fault what another fault does.
//!
//! Each number is the output of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), whose state after
//! n steps is known without taking them.

/// All chance on one way over one link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance {
    key: u64,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Loss,
    /// Whether a burst of losses begins or ends.
    Burst,
    LossInBurst,
    Duplicate,
    Reorder,
    Corrupt,
    /// Which bit is turned.
    Bit,
    Jitter,
}

/// SplitMix64's step: 2⁶⁴ divided by the golden ratio, made odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Chance {
    /// That of one way of the link with this number.
    pub(crate) fn new(seed: u64, link: usize, direction: usize) -> Chance {
        Chance { key: mixed(mixed(seed.wrapping_add(STEP)) ^ (2 * link as u64 + direction as u64)) }
    }

    /// Any number.
    pub(crate) fn number(self, purpose: Purpose, packet: u64) -> u64 {
        let stream = mixed(self.key ^ (purpose as u64 + 1).wrapping_mul(STEP));
        mixed(stream.wrapping_add(packet.wrapping_mul(STEP)))
    }

    /// From 0 on, below 1.
    pub(crate) fn share(self, purpose: Purpose, packet: u64) -> f64 {
        (self.number(purpose, packet) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(self, purpose: Purpose, packet: u64, probability: f64) -> bool {
        self.share(purpose, packet) < probability
    }
}

/// SplitMix64's output function.
fn mixed(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // The first outputs for the state 0, as published with the algorithm.
        let outputs = [STEP, STEP.wrapping_mul(2), STEP.wrapping_mul(3)].map(mixed);
        assert_eq!(outputs, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    }

    #[test]
    fn seeds_links_directions_purposes_and_packets_differ() {
        let number =
            |seed, link, direction, purpose, packet| Chance::new(seed, link, direction).number(purpose, packet);
        let all = [
            number(1, 0, 0, Purpose::Loss, 1),
            number(2, 0, 0, Purpose::Loss, 1),
            number(1, 1, 0, Purpose::Loss, 1),
            number(1, 0, 1, Purpose::Loss, 1),
            number(1, 0, 0, Purpose::Jitter, 1),
            number(1, 0, 0, Purpose::Loss, 2),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(all[0], number(1, 0, 0, Purpose::Loss, 1));
    }

    #[test]
    fn probabilities_hold() {
        const PACKETS: u64 = 100_000;
        for probability in [0.0, 0.01, 0.5, 1.0] {
            let happened =
                (0..PACKETS).filter(|n| Chance::new(7, 3, 1).happens(Purpose::Loss, *n, probability)).count();
            let (expected, deviation) =
                (probability * PACKETS as f64, (probability * (1.0 - probability) * PACKETS as f64).sqrt());
            assert!((happened as f64 - expected).abs() <= 5.0 * deviation, "{happened} of {expected}");
        }
    }
}
