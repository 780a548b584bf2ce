//! What a schedule promises.

use std::num::NonZeroUsize;

use super::{Consequence, Needs, Rounds, Schedule, Tolerance};

const ONE: Needs = Needs { threads: 1, group: None };

fn tolerance(failures: usize) -> Tolerance {
    Tolerance { failures: NonZeroUsize::new(failures), ends_running: false }
}

fn schedule(tests: &[Needs], threads: usize) -> Schedule {
    Schedule::new(tests.to_vec(), threads, &[1, 2], Rounds::Count(1), tolerance(1))
}

fn all_that_start(schedule: &mut Schedule) -> Vec<usize> {
    std::iter::from_fn(|| schedule.next()).collect()
}

#[test]
fn no_more_run_than_may() {
    let mut schedule = schedule(&[ONE; 3], 2);
    assert_eq!(all_that_start(&mut schedule), [0, 1]);
    schedule.ended(0, true);
    assert_eq!(all_that_start(&mut schedule), [2]);
}

#[test]
fn a_failure_lets_running_tests_end_and_starts_no_other() {
    let mut schedule = schedule(&[ONE; 3], 2);
    all_that_start(&mut schedule);
    assert_eq!(schedule.ended(0, false), Consequence::NoMore);
    assert_eq!(schedule.next(), None);
    assert!(!schedule.is_over());
    schedule.ended(1, true);
    assert!(schedule.is_over());
}

#[test]
fn failures_are_tolerated_up_to_a_number() {
    let immediate = Tolerance { ends_running: true, ..tolerance(2) };
    let mut schedule = Schedule::new(vec![ONE; 4], 3, &[], Rounds::Count(1), immediate);
    all_that_start(&mut schedule);
    assert_eq!(schedule.ended(0, false), Consequence::None);
    assert_eq!(schedule.next(), Some(3));
    assert_eq!(schedule.ended(1, false), Consequence::EndAll);
}

#[test]
fn without_a_limit_all_run() {
    let mut schedule = Schedule::new(vec![ONE; 2], 1, &[], Rounds::Count(1), tolerance(0));
    schedule.next();
    schedule.ended(0, false);
    assert_eq!(schedule.next(), Some(1));
    schedule.ended(1, false);
    assert!(schedule.is_over());
}

#[test]
fn a_test_that_needs_many_threads_waits_for_them_and_is_not_overtaken() {
    let mut schedule = schedule(&[ONE, Needs { threads: 2, ..ONE }, ONE], 2);
    assert_eq!(all_that_start(&mut schedule), [0]);
    schedule.ended(0, true);
    assert_eq!(all_that_start(&mut schedule), [1]);
    schedule.ended(1, true);
    assert_eq!(all_that_start(&mut schedule), [2]);
}

#[test]
fn a_test_that_needs_more_threads_than_there_are_runs_alone() {
    let mut schedule = schedule(&[Needs { threads: 64, ..ONE }, ONE], 2);
    assert_eq!(all_that_start(&mut schedule), [0]);
    schedule.ended(0, true);
    assert_eq!(all_that_start(&mut schedule), [1]);
}

#[test]
fn a_group_has_a_limit_of_its_own_and_others_overtake_it() {
    let serial = Needs { group: Some(0), ..ONE };
    let mut schedule = schedule(&[serial, serial, ONE, serial, ONE], 3);
    assert_eq!(all_that_start(&mut schedule), [0, 2, 4]);
    schedule.ended(0, true);
    assert_eq!(all_that_start(&mut schedule), [1]);
}

#[test]
fn a_test_of_a_group_takes_no_more_than_its_group_may() {
    let wide = Needs { threads: 8, group: Some(1) };
    let mut schedule = schedule(&[wide, wide], 8);
    assert_eq!(all_that_start(&mut schedule), [0]);
    schedule.ended(0, true);
    assert_eq!(all_that_start(&mut schedule), [1]);
}

#[test]
fn a_job_that_is_run_again_gives_up_its_place_meanwhile_and_comes_first_afterwards() {
    let mut schedule = schedule(&[ONE; 3], 1);
    assert_eq!(schedule.next(), Some(0));
    schedule.rests(0);
    assert_eq!(schedule.next(), Some(1));
    schedule.rested(0);
    schedule.ended(1, true);
    assert_eq!(schedule.next(), Some(0));
    schedule.ended(0, true);
    assert_eq!(schedule.next(), Some(2));
    schedule.rests(2);
    assert!(!schedule.is_over(), "a job rests");
    schedule.rested(2);
    schedule.next();
    schedule.ended(2, true);
    assert!(schedule.is_over());
}

#[test]
fn rounds_run_copies_at_once() {
    let mut schedule = Schedule::new(vec![ONE; 2], 8, &[], Rounds::Count(3), tolerance(0));
    assert_eq!(all_that_start(&mut schedule), [0, 1, 2, 3, 4, 5]);
    (0..6).for_each(|job| _ = schedule.ended(job, true));
    assert!(schedule.is_over());
}

#[test]
fn endless_rounds_end_when_no_other_is_to_begin() {
    let mut schedule = Schedule::new(vec![ONE; 2], 3, &[], Rounds::Endless, tolerance(0));
    assert_eq!(all_that_start(&mut schedule), [0, 1, 2]);
    schedule.begin_no_round();
    (0..3).for_each(|job| _ = schedule.ended(job, true));
    assert_eq!(all_that_start(&mut schedule), [3]);
    schedule.ended(3, true);
    assert!(schedule.is_over());
}

#[test]
fn nothing_to_run_is_over_at_once() {
    assert!(Schedule::new(Vec::new(), 1, &[], Rounds::Endless, tolerance(0)).is_over());
}

/// Whatever the order of events: limits hold, every job ends exactly once, and it ends.
#[test]
fn limits_hold_and_nothing_is_lost_in_any_order_of_events() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let tests: Vec<Needs> = (0..random.usize(1..30))
            .map(|_| Needs { threads: random.usize(1..5), group: [None, Some(0), Some(1)][random.usize(0..3)] })
            .collect();
        let threads = random.usize(1..6);
        let rounds = random.usize(1..4);
        let jobs = tests.len() * rounds;
        let mut schedule = Schedule::new(tests.clone(), threads, &[1, 2], Rounds::Count(rounds), tolerance(0));
        let (mut running, mut resting, mut ended) = (Vec::new(), Vec::new(), vec![0; jobs]);
        while !schedule.is_over() {
            while let Some(job) = schedule.next() {
                running.push(job);
            }
            let of_group = |group| running.iter().filter(|&&job| tests[job % tests.len()].group == Some(group)).count();
            assert!(running.len() <= threads && of_group(0) <= 1 && of_group(1) <= 2, "seed {seed}");
            assert!(!running.is_empty() || !resting.is_empty(), "seed {seed}: stuck");
            if !resting.is_empty() && (running.is_empty() || random.bool()) {
                schedule.rested(resting.swap_remove(random.usize(0..resting.len())));
            } else {
                let job = running.swap_remove(random.usize(0..running.len()));
                if random.u8(0..4) == 0 {
                    schedule.rests(job);
                    resting.push(job);
                } else {
                    schedule.ended(job, random.bool());
                    ended[job] += 1;
                }
            }
        }
        assert_eq!(ended, vec![1; jobs], "seed {seed}");
    }
}
