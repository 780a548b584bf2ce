//! Which of what a test finds is its own, and so may be changed by the library on its behalf? And is there a way out?

use crate::protocol::{Isolation, Run};
use crate::{Namespace, Pcap};

/// What is the test's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) network: bool,
    pub(crate) mounts: bool,
    /// Whether packets on its network are recorded, by its init.
    pub(crate) recorded: bool,
    /// Whether a porter waits for it, see `lab::porter`.
    pub(crate) uplink: bool,
}

impl Own {
    /// What a test finds that is run so.
    pub(crate) fn of(run: &Run) -> Own {
        let own = |whose| run.isolation == Isolation::Required && whose == Namespace::Isolated;
        let network = own(run.spec.net);
        let recorded = network && run.spec.pcap != Pcap::Never;
        let uplink = cfg!(feature = "lab") && network && run.spec.uplink;
        Own { network, mounts: own(run.spec.mount), recorded, uplink }
    }

    /// For a letter, before the test's name.
    pub(crate) fn before(self, test: &str) -> String {
        let word = |own| if own { '+' } else { '-' };
        format!("{}{}{}{}{test}", word(self.network), word(self.mounts), word(self.recorded), word(self.uplink))
    }

    /// Reads what [`Own::before`] wrote.
    pub(crate) fn read(told: &str) -> Option<(Own, &str)> {
        let (words, test) = told.split_at_checked(4)?;
        let is = |at: usize| words.as_bytes()[at] == b'+';
        Some((Own { network: is(0), mounts: is(1), recorded: is(2), uplink: is(3) }, test))
    }
}

#[cfg(test)]
mod tests {
    use super::Own;

    #[test]
    fn it_travels_before_the_name() {
        for one in 0..4 {
            let is = |at| at == one;
            let own = Own { network: is(0), mounts: is(1), recorded: is(2), uplink: is(3) };
            assert_eq!(Own::read(&own.before("a::b")), Some((own, "a::b")));
        }
        assert_eq!(Own::read(""), None);
    }
}
