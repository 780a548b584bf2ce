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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
        let mut in_order: Vec<usize> = (0..tests.len()).collect();
        in_order.sort_by_key(|at| tests[*at]);
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
mod tests {
    use super::*;

    const KINDS: [&str; 4] = ["hash", "count", "slice", "time"];

    fn partition(text: &str) -> Partition {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn test<'t>(binary: &'t str, name: &'t str) -> Dealt<'t> {
        Dealt { binary, name, ignored: name.starts_with("ignored") }
    }

    fn took(test: &Dealt<'_>) -> Option<Duration> {
        // Some take long, most do not, and of some nothing is known.
        let number: u64 = test.name.rsplit('_').next()?.parse().ok()?;
        (!number.is_multiple_of(3)).then(|| Duration::from_millis(number * number))
    }

    fn share<'t>(text: &str, tests: &[Dealt<'t>]) -> Vec<Dealt<'t>> {
        let chosen = partition(text).share(tests, &took);
        tests.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(test, _)| *test).collect()
    }

    fn many(names: &[String]) -> Vec<Dealt<'_>> {
        names.iter().flat_map(|name| ["a", "b::it"].map(|binary| test(binary, name))).collect()
    }

    fn names() -> Vec<String> {
        (0..40).flat_map(|number| [format!("mod::test_{number}"), format!("ignored_{number}")]).collect()
    }

    #[test]
    fn every_test_is_in_exactly_one_share() {
        let names = names();
        let tests = many(&names);
        for kind in KINDS {
            for of in [1, 2, 7] {
                let shares = (1..=of).flat_map(|shard| share(&format!("{kind}:{shard}/{of}"), &tests));
                let mut all: Vec<_> = shares.collect();
                all.sort();
                let mut expected = tests.clone();
                expected.sort();
                assert_eq!(all, expected, "{kind} of {of}");
            }
        }
    }

    #[test]
    fn the_order_of_listing_does_not_matter() {
        let names = names();
        let tests = many(&names);
        let backwards: Vec<_> = tests.iter().rev().copied().collect();
        for kind in KINDS {
            let mut one = share(&format!("{kind}:2/3"), &tests);
            let mut other = share(&format!("{kind}:2/3"), &backwards);
            one.sort();
            other.sort();
            assert_eq!(one, other, "{kind}");
        }
    }

    #[test]
    fn another_test_moves_none_that_is_dealt_by_hash() {
        let names = names();
        let tests = many(&names);
        let fewer = &tests[1..];
        let before = share("hash:1/3", &tests);
        assert!(share("hash:1/3", fewer).iter().all(|test| before.contains(test)));
    }

    #[test]
    fn count_begins_anew_with_each_binary_and_slice_does_not() {
        let tests = [test("a", "1"), test("b", "1"), test("c", "1")];
        assert_eq!(share("count:1/2", &tests).len(), 3);
        assert_eq!(share("slice:1/2", &tests), [tests[0], tests[2]]);
    }

    #[test]
    fn ignored_tests_are_dealt_by_themselves() {
        let tests = [test("a", "0"), test("a", "ignored"), test("a", "1")];
        assert_eq!(share("slice:1/2", &tests), [tests[0], tests[1]]);
    }

    #[test]
    fn shares_by_time_last_about_as_long() {
        let names = names();
        let tests = many(&names);
        let lasts = |shard: usize| -> Duration {
            share(&format!("time:{shard}/4"), &tests).iter().map(|test| took(test).unwrap_or_default()).sum()
        };
        let all: Vec<_> = (1..=4).map(lasts).collect();
        let (shortest, longest) = (all.iter().min().copied(), all.iter().max().copied());
        // The longest single test is what greedy dealing can be off by.
        assert!(
            longest.unwrap_or_default() - shortest.unwrap_or_default() <= Duration::from_millis(39 * 39),
            "{all:?}"
        );
    }

    #[test]
    fn without_durations_shares_by_time_have_as_many_tests() {
        let tests: Vec<_> = ["a", "b", "c", "d", "e", "f"].iter().map(|name| test("x", name)).collect();
        assert_eq!(share("time:1/3", &tests).len(), 2);
        assert_eq!(share("time:3/3", &tests).len(), 2);
    }

    #[test]
    fn hashes_are_those_of_nextest() {
        // XXH64 with seed 0 of the test's name; the first value is the published one for no input at all.
        assert_eq!(xxh64(b"", 0), 0xef46_db37_51d8_e999);
        assert_eq!(partition("hash:1/2").by_hash("tests::works"), (xxh64(b"tests::works", 0) % 2) as usize);
    }

    #[test]
    fn what_is_no_partition_is_refused() {
        for text in
            ["", "hash", "hash:", "hash:1", "hash:1/", "hash:0/2", "hash:3/2", "hash:m/2", "hash:1/2/3", "x:1/2"]
        {
            assert!(text.parse::<Partition>().is_err(), "{text:?}");
        }
        assert_eq!(partition("slice:3/3").shard.get(), 3);
    }
}
