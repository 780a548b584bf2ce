//! Does everybody get what is his, and nobody anything twice?

use std::collections::HashSet;
use std::time::Duration;

use super::{Dealt, Partition};

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
    assert!(longest.unwrap_or_default() - shortest.unwrap_or_default() <= Duration::from_millis(39 * 39), "{all:?}");
}

#[test]
fn without_durations_shares_by_time_have_as_many_tests() {
    let tests: Vec<_> = ["a", "b", "c", "d", "e", "f"].iter().map(|name| test("x", name)).collect();
    assert_eq!(share("time:1/3", &tests).len(), 2);
    assert_eq!(share("time:3/3", &tests).len(), 2);
}

/// What `cargo nextest list --run-ignored all --partition …` (0.9.143) prints of a workspace: partition, binary,
/// test, and whether the test is ignored.
const NEXTEST: &str = include_str!("nextest.txt");

#[test]
fn shares_are_those_of_nextest() {
    let lines = NEXTEST.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let shares: HashSet<(&str, Dealt<'_>)> = lines
        .map(|words| (words[0], Dealt { binary: words[1], name: words[2], ignored: words[3] == "True" }))
        .collect();
    let tests: HashSet<Dealt<'_>> = shares.iter().map(|(_, test)| *test).collect();
    let tests: Vec<_> = tests.into_iter().collect();
    assert_eq!((tests.len(), shares.len()), (50, 150), "three kinds of shares have every test once");
    let partitions: HashSet<&str> = shares.iter().map(|(partition, _)| *partition).collect();
    for text in partitions {
        let ours: HashSet<_> = share(text, &tests).into_iter().map(|test| (text, test)).collect();
        let theirs: HashSet<_> = shares.iter().filter(|(partition, _)| *partition == text).copied().collect();
        assert_eq!(ours, theirs, "{text}");
    }
}

#[test]
fn what_is_no_partition_is_refused() {
    for text in ["", "hash", "hash:", "hash:1", "hash:1/", "hash:0/2", "hash:3/2", "hash:m/2", "hash:1/2/3", "x:1/2"] {
        assert!(text.parse::<Partition>().is_err(), "{text:?}");
    }
    assert_eq!(partition("slice:3/3").shard.get(), 3);
}
