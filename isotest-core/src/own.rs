//! Which of what a test finds is its own, and so may be changed by the library on its behalf?

use crate::Namespace;
use crate::protocol::{Isolation, Run};

/// What is the test's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) network: bool,
    pub(crate) mounts: bool,
}

impl Own {
    /// What a test finds that is run so.
    pub(crate) fn of(run: &Run) -> Own {
        let own = |whose| run.isolation == Isolation::Required && whose == Namespace::Isolated;
        Own { network: own(run.spec.net), mounts: own(run.spec.mount) }
    }

    /// For a letter, before the test's name.
    pub(crate) fn before(self, test: &str) -> String {
        let word = |own| if own { '+' } else { '-' };
        format!("{}{}{test}", word(self.network), word(self.mounts))
    }

    /// Reads what [`Own::before`] wrote.
    pub(crate) fn read(told: &str) -> Option<(Own, &str)> {
        let (words, test) = told.split_at_checked(2)?;
        Some((Own { network: words.starts_with('+'), mounts: words.ends_with('+') }, test))
    }
}

#[cfg(test)]
mod tests {
    use super::Own;

    #[test]
    fn it_travels_before_the_name() {
        for (network, mounts) in [(true, false), (false, true)] {
            let own = Own { network, mounts };
            assert_eq!(Own::read(&own.before("a::b")), Some((own, "a::b")));
        }
        assert_eq!(Own::read(""), None);
    }
}
