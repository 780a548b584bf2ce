//! An isolated failure is explained as libtest and std explain a plain one.

use isotest_tests::text;

use crate::runner::{CARGO_ISOTEST, ITS_HARNESS, directly};

const FAIL: &str = "tests/fail/main.rs";

/// Those that come to their end: libtest lives to tell.
const ENDING: &[&str] = &[
    "panics_with_words",
    "panics_with_words_put_together",
    "panics_without_words",
    "fails_an_assertion",
    "indexes_out_of_bounds",
    "panics_while_a_value_is_dropped",
    "panics_on_a_named_thread_and_fails",
    "panics_in_a_scoped_thread",
    "returns_an_error_of_its_own_type",
    "returns_a_boxed_error",
    "returns_failure",
    "returns_an_exit_code_of_its_own",
    "fails_in_a_function_of_its_own",
];

/// Those that libtest explains itself.
const NOT_PANICKING_AS_THEY_SHOULD: &[&str] = &[
    "panics_with_other_words_than_it_should",
    "panics_without_words_although_it_should",
    "does_not_panic_although_it_should",
];

#[test]
fn under_libtest_an_isolated_failure_reads_like_a_plain_one() {
    for test in ENDING.iter().chain(NOT_PANICKING_AS_THEY_SHOULD) {
        assert_eq!(under_libtest("isolated", test), under_libtest("plain", test), "{test}");
    }
}

/// All that libtest writes.
fn under_libtest(module: &str, test: &str) -> String {
    let output = directly(FAIL, &format!("{module}::{test}")).output().expect("the binary starts");
    let text = text(&output);
    assert_eq!(output.status.code(), Some(101), "{module}::{test}: {text}");
    let text = alike(&text, module);
    let timed = text.find("; finished in").expect("libtest measures itself");
    text[..timed].to_owned()
}

#[test]
fn under_cargo_isotest_an_isolated_failure_reads_like_a_plain_one() {
    let details = |way, test| {
        let way: crate::runner::Way = way;
        let text = text(&way.binary("fail").fails(test, &[]));
        let lines = text.lines().skip_while(|line| !line.contains("FAIL [")).skip(1);
        let details: Vec<&str> = lines.take_while(|line| !line.starts_with("  re-run: ")).collect();
        alike(&details.join("\n"), way.name("").trim_end_matches(':'))
    };
    for test in ENDING {
        assert_eq!(details(CARGO_ISOTEST, test), details(ITS_HARNESS, test), "{test}");
    }
}

#[test]
fn under_cargo_isotest_a_test_that_should_panic_is_told_what_was_missing() {
    for (test, note) in [
        (
            "panics_with_other_words_than_it_should",
            "panic did not contain expected string\n  panic message: \"other words\"\n  expected substring: \"these words\"\n",
        ),
        (
            "panics_without_words_although_it_should",
            "payload was no string, so it can't contain the expected substring: \"these words\"\n",
        ),
        ("does_not_panic_although_it_should", "test did not panic as expected\n"),
    ] {
        let text = text(&CARGO_ISOTEST.binary("fail").fails(test, &[]));
        assert!(text.contains(note), "{test} does not say {note:?}:\n{text}");
    }
}

/// Text in which nothing differs but what must: the module, and numbers that are different in each run.
fn alike(text: &str, module: &str) -> String {
    let text = text.replace(&format!("{module}::"), "MODULE::");
    text.lines().map(|line| format!("{}\n", without_numbers(line))).collect()
}

fn without_numbers(line: &str) -> String {
    let (before, after) = match line.split_once("' (") {
        Some((before, after)) if before.trim_start().starts_with("thread '") => (before, after.split_once(") ")),
        _ => match line.split_once("`TypeId(") {
            Some((before, after)) => (before, after.split_once(")`")),
            None => return line.to_owned(),
        },
    };
    after.map_or_else(|| line.to_owned(), |(_number, after)| format!("{before} NUMBER {after}"))
}

#[test]
fn a_panic_on_another_thread_that_the_test_survives_fails_nothing() {
    CARGO_ISOTEST.binary("fail").passes("panics_on_a_nameless_thread_and_passes_all_the_same", &[]);
}

#[test]
fn a_test_that_ends_by_a_signal_says_first_what_a_plain_one_says() {
    for (test, says) in [
        (
            "overflows_the_stack",
            &["thread 'MODULE::overflows_the_stack NUMBER has overflowed its stack\n", "stack overflow, aborting\n"][..],
        ),
        (
            "panics_while_it_panics",
            &["the first panic\n", "a panic in drop\n", "thread caused non-unwinding panic. aborting.\n"],
        ),
        ("aborts_on_another_thread", &[]),
        ("segfaults", &[]),
    ] {
        let plain = directly(FAIL, &format!("plain::{test}")).arg("--nocapture").output().expect("the binary starts");
        assert_ne!(plain.status.code(), Some(101), "a plain one takes its harness with it");
        for output in [plain, CARGO_ISOTEST.binary("fail").fails(test, &[])] {
            let text = alike(&alike(&text(&output), "plain"), "isolated");
            for words in says {
                assert!(text.contains(words), "{test} does not say {words:?}:\n{text}");
            }
        }
    }
}

#[test]
fn a_backtrace_shows_the_test_s_own_functions() {
    let mut command = directly(FAIL, "isolated::fails_in_a_function_of_its_own");
    let text = text(&command.env("RUST_BACKTRACE", "1").output().expect("the binary starts"));
    for function in ["isolated::inner", "isolated::outer", "isolated::fails_in_a_function_of_its_own"] {
        assert!(text.contains(function), "{function} is not shown:\n{text}");
    }
}
