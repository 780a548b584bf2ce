//! Which of the selected tests are this machine's share?
//!
//! `hash`, `count` and `slice` deal as nextest does, so that a shard has the same tests under both. `time` deals by
//! recorded durations. All are pure functions of what is given: machines that are given the same tests (and for `time`
//! the same durations) agree without speaking to one another.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use nextest_metadata::RustBinaryId;
use xxhash_rust::xxh64::xxh64;

/// One share of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// How the tests are dealt.
    pub(crate) by: By,
    /// Which share, counted from 1.
    pub(crate) shard: NonZeroUsize,
    /// Of how many.
    pub(crate) of: NonZeroUsize,
}

/// How tests are dealt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// By the name of each: adding a test moves no other.
    Hash,
    /// In turn, beginning anew with each binary.
    Count,
    /// In turn, through all binaries.
    Slice,
    /// So that all shares take about the same time.
    Time,
}

/// What dealing looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Dealt<'t> {
    /// The id of its binary.
    pub(crate) binary: &'t str,
    /// Its path in the binary.
    pub(crate) name: &'t str,
    /// Whether it is marked `#[ignore]`: those are dealt by themselves.
    pub(crate) ignored: bool,
}

impl Partition {
    /// For each test whether it is in this share. `tests` are those that everything else has selected, in any order;
    /// `took` knows how long a test took the last time.
    pub(crate) fn share(&self, tests: &[Dealt<'_>], took: &dyn Fn(&Dealt<'_>) -> Option<Duration>) -> Vec<bool> {
        let in_order = in_order(tests);
        let shards = match self.by {
            By::Hash => tests.iter().map(|test| self.by_hash(test.name)).collect(),
            By::Count => self.in_turn(tests, &in_order, |test| (test.binary, test.ignored)),
            By::Slice => self.in_turn(tests, &in_order, |test| ("", test.ignored)),
            By::Time => self.by_time(tests, &in_order, took),
        };
        shards.into_iter().map(|shard| shard == self.shard.get() - 1).collect()
    }

    fn by_hash(&self, name: &str) -> usize {
        let shard = xxh64(name.as_bytes(), 0) % self.of.get() as u64;
        usize::try_from(shard).unwrap_or_default() // It is less than `of`, which is a usize.
    }

    fn in_turn<'t>(
        &self,
        tests: &[Dealt<'t>],
        in_order: &[usize],
        round: impl Fn(&Dealt<'t>) -> (&'t str, bool),
    ) -> Vec<usize> {
        let mut next: HashMap<(&str, bool), usize> = HashMap::new();
        let mut shards = vec![0; tests.len()];
        for at in in_order {
            let turn = next.entry(round(&tests[*at])).or_default();
            shards[*at] = *turn;
            *turn = (*turn + 1) % self.of;
        }
        shards
    }

    /// The longest first, each to the share that has least to do. Of tests that never ran nothing is known: they
    /// count as much as the median of the others.
    fn by_time(
        &self,
        tests: &[Dealt<'_>],
        in_order: &[usize],
        took: &dyn Fn(&Dealt<'_>) -> Option<Duration>,
    ) -> Vec<usize> {
        let known: Vec<_> = tests.iter().map(took).collect();
        let mut sorted: Vec<Duration> = known.iter().flatten().copied().collect();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(Duration::from_millis(1));
        let lasts = |at: &usize| known[*at].unwrap_or(median);
        let mut longest_first = in_order.to_vec();
        longest_first.sort_by_key(|at| Reverse(lasts(at))); // Stable: tests that last alike stay in order of their names.
        let mut load = vec![(Duration::ZERO, 0_usize); self.of.get()];
        let mut shards = vec![0; tests.len()];
        for at in longest_first {
            let least = (0..load.len()).min_by_key(|shard| load[*shard]).unwrap_or_default();
            shards[at] = least;
            load[least] = (load[least].0.saturating_add(lasts(&at)), load[least].1 + 1);
        }
        shards
    }
}

/// The tests' places in nextest's order: of a package first the library, then test targets, then the others.
fn in_order(tests: &[Dealt<'_>]) -> Vec<usize> {
    let ids: HashMap<&str, RustBinaryId> =
        tests.iter().map(|test| (test.binary, RustBinaryId::new(test.binary))).collect();
    let mut in_order: Vec<usize> = (0..tests.len()).collect();
    in_order.sort_by_key(|at| (&ids[tests[*at].binary], tests[*at].name));
    in_order
}

impl FromStr for Partition {
    type Err = String;

    /// `hash:1/3` and the like.
    fn from_str(text: &str) -> Result<Partition, String> {
        const FORM: &str = "a partition is hash:M/N, count:M/N, slice:M/N or time:M/N, where M is from 1 to N";
        let parts = text.split_once(':').and_then(|(by, shares)| Some((by, shares.split_once('/')?)));
        let (by, (shard, of)) = parts.ok_or(FORM)?;
        let by = match by {
            "hash" => By::Hash,
            "count" => By::Count,
            "slice" => By::Slice,
            "time" => By::Time,
            _ => return Err(FORM.to_owned()),
        };
        let number = |text: &str| text.parse::<NonZeroUsize>().map_err(|_| FORM.to_owned());
        let (shard, of) = (number(shard)?, number(of)?);
        if shard > of {
            return Err(format!("there is no share {shard} of {of}: {FORM}"));
        }
        Ok(Partition { by, shard, of })
    }
}

#[cfg(test)]
mod tests;
