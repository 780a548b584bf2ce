//! How are faults written in a drawing of the lab?

use std::fmt;

use super::{Faults, Queue, Rate};

impl fmt::Display for Faults {
    /// Nothing, where nothing is wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts().join(", "))
    }
}

impl Faults {
    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let mut add = |said: bool, part: String| parts.extend(said.then_some(part));
        add(!self.latency.is_zero(), format!("latency {:?}", self.latency));
        add(!self.jitter.is_zero(), format!("jitter {:?}", self.jitter));
        add(self.loss > 0.0, format!("loss {}", percent(self.loss)));
        add(self.bursts.is_some(), "loss in bursts".to_owned());
        add(!self.lose.is_empty(), format!("loses {}", numbers(&self.lose)));
        add(self.duplicate > 0.0, format!("duplicates {}", percent(self.duplicate)));
        add(self.reorder > 0.0, format!("reorders {} by {}", percent(self.reorder), self.reorder_by));
        add(self.corrupt > 0.0, format!("corrupts {}", percent(self.corrupt)));
        parts.extend(self.rate.map(|rate| rate.to_string()));
        parts.extend(self.queue.map(|queue| queue.to_string()));
        parts.extend(self.black_hole.map(|bytes| format!("swallows above {bytes} bytes")));
        parts
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bits if bits >= 1e9 => write!(f, "{} Gbit/s", bits / 1e9),
            bits if bits >= 1e6 => write!(f, "{} Mbit/s", bits / 1e6),
            bits if bits >= 1e3 => write!(f, "{} kbit/s", bits / 1e3),
            bits => write!(f, "{bits} bit/s"),
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Queue::Bytes(bytes) => write!(f, "queue {bytes} bytes"),
            Queue::Packets(packets) => write!(f, "queue {packets} packets"),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1e7).round() / 1e5)
}

/// The first few.
fn numbers(all: &[u64]) -> String {
    let shown: Vec<_> = all.iter().take(5).map(u64::to_string).collect();
    let more = if all.len() > shown.len() { ", …" } else { "" };
    shown.join(", ") + more
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_is_asked_for_is_told() {
        assert_eq!(Faults::new().to_string(), "");
        let faults = Faults::new().latency(Duration::from_millis(20)).loss(0.05).rate(Rate::mbit(10.0));
        assert_eq!(faults.to_string(), "latency 20ms, loss 5 %, 10 Mbit/s");
        assert_eq!(Faults::new().lose_nth(1..9).to_string(), "loses 1, 2, 3, 4, 5, …");
    }
}
