//! Which of what a test finds is its own, and so may be changed by the library on its behalf?

use crate::protocol::{Isolation, Run};
use crate::{Namespace, Pcap};

/// What is the test's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) network: bool,
    pub(crate) mounts: bool,
    /// Whether packets on its network are recorded, by its init.
    pub(crate) recorded: bool,
}

impl Own {
    /// What a test finds that is run so.
    pub(crate) fn of(run: &Run) -> Own {
        let own = |whose| run.isolation == Isolation::Required && whose == Namespace::Isolated;
        let network = own(run.spec.net);
        Own { network, mounts: own(run.spec.mount), recorded: network && run.spec.pcap != Pcap::Never }
    }

    /// For a letter, before the test's name.
    pub(crate) fn before(self, test: &str) -> String {
        let word = |own| if own { '+' } else { '-' };
        format!("{}{}{}{test}", word(self.network), word(self.mounts), word(self.recorded))
    }

    /// Reads what [`Own::before`] wrote.
    pub(crate) fn read(told: &str) -> Option<(Own, &str)> {
        let (words, test) = told.split_at_checked(3)?;
        let is = |at: usize| words.as_bytes()[at] == b'+';
        Some((Own { network: is(0), mounts: is(1), recorded: is(2) }, test))
    }
}

#[cfg(test)]
mod tests {
    use super::Own;

    #[test]
    fn it_travels_before_the_name() {
        for (network, mounts, recorded) in [(true, false, false), (false, true, false), (false, false, true)] {
            let own = Own { network, mounts, recorded };
            assert_eq!(Own::read(&own.before("a::b")), Some((own, "a::b")));
        }
        assert_eq!(Own::read(""), None);
    }
}
