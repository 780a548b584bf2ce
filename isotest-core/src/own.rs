//! Which of what a test finds is its own, and so may be changed by the library on its behalf? And is there a way out?

use crate::protocol::{Isolation, Run};
use crate::{Egress, Namespace, Pcap};

/// What is the test's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) network: bool,
    pub(crate) mounts: bool,
    /// Whether packets on its network are recorded, by its init.
    pub(crate) recorded: bool,
    /// Whether a porter waits for it, see `lab::porter`.
    pub(crate) uplink: bool,
    /// What init wants to know of attempts to reach what is outside.
    pub(crate) attempts: Attempts,
}

/// What is to be known of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempts {
    Nothing,
    /// About how many there were.
    Roughly,
    /// Whether there were any.
    Surely,
    /// Where to.
    All,
}

impl Attempts {
    const LETTERS: [(Attempts, char); 4] =
        [(Attempts::Nothing, '-'), (Attempts::Roughly, 'r'), (Attempts::Surely, 's'), (Attempts::All, 'a')];

    fn of(egress: &Egress) -> Attempts {
        match egress {
            Egress::Ignore => Attempts::Nothing,
            Egress::Warn => Attempts::Roughly,
            Egress::Fail => Attempts::Surely,
            Egress::Record | Egress::Allow(_) => Attempts::All,
        }
    }
}

impl Own {
    /// What a test finds that is run so.
    pub(crate) fn of(run: &Run) -> Own {
        let own = |whose| run.isolation == Isolation::Required && whose == Namespace::Isolated;
        let network = own(run.spec.net);
        let recorded = network && run.spec.pcap != Pcap::Never;
        let uplink = cfg!(feature = "lab") && network && run.spec.uplink;
        let attempts = if network { Attempts::of(&run.spec.egress) } else { Attempts::Nothing };
        Own { network, mounts: own(run.spec.mount), recorded, uplink, attempts }
    }

    /// Whether init listens to what the test's labs say.
    pub(crate) fn listens(self) -> bool {
        self.recorded || self.attempts != Attempts::Nothing
    }

    /// For a letter, before the test's name.
    pub(crate) fn before(self, test: &str) -> String {
        let word = |own| if own { '+' } else { '-' };
        let words = [self.network, self.mounts, self.recorded, self.uplink].map(word);
        let attempts = Attempts::LETTERS.into_iter().filter(|(attempts, _)| *attempts == self.attempts);
        words.into_iter().chain(attempts.map(|(_, letter)| letter)).chain(test.chars()).collect()
    }

    /// Reads what [`Own::before`] wrote.
    pub(crate) fn read(told: &str) -> Option<(Own, &str)> {
        let (words, test) = told.split_at_checked(5)?;
        let is = |at: usize| words.as_bytes()[at] == b'+';
        let letter = char::from(words.as_bytes()[4]);
        let attempts = Attempts::LETTERS.into_iter().find(|(_, its)| *its == letter)?.0;
        Some((Own { network: is(0), mounts: is(1), recorded: is(2), uplink: is(3), attempts }, test))
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempts, Own};

    #[test]
    fn it_travels_before_the_name() {
        for one in 0..4 {
            let is = |at| at == one;
            let (attempts, _) = Attempts::LETTERS[one];
            let own = Own { network: is(0), mounts: is(1), recorded: is(2), uplink: is(3), attempts };
            assert_eq!(Own::read(&own.before("a::b")), Some((own, "a::b")));
        }
        assert_eq!(Own::read(""), None);
    }
}
