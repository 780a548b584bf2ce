//! Which words are shown, and that they are shown whole.

use isotest_tests::text;

use crate::runner::{AFRESH, ALL, CARGO_ISOTEST, CARGO_TEST, ITS_HARNESS, Way};

/// What `talkative::speak` writes.
const WORDS: [&str; 4] =
    ["own words to stdout\n", "own words to stderr\n", "words of a child to stdout\n", "words of a child to stderr\n"];

fn shows_all_words(way: Way, test: &str) {
    let text = text(&way.fails(test, &[]));
    for words in WORDS {
        assert!(text.contains(words), "{way:?} does not show {words:?} of {test}:\n{text}");
    }
}

// libtest captures only what goes through the macros; what a plain test's child writes escapes it. An isolated one's
// does not.

#[test]
fn a_failing_test_s_own_words_and_its_children_s_are_shown() {
    ALL.iter().for_each(|way| shows_all_words(*way, "speaks_and_fails"));
}

#[test]
fn a_passing_test_s_own_words_and_its_children_s_are_hidden() {
    for way in ALL {
        let text = text(&way.passes("speaks_and_passes", &[]));
        assert!(!text.contains("words"), "{way:?} shows what nobody needs:\n{text}");
    }
}

#[test]
fn without_capture_a_passing_test_s_words_are_shown_as_well() {
    for way in ALL {
        let text = text(&way.passes("speaks_and_passes", &["--nocapture"]));
        for words in WORDS {
            assert!(text.contains(words), "{way:?} does not show {words:?}:\n{text}");
        }
    }
}

#[test]
fn words_before_an_abort_are_shown() {
    ALL.iter().for_each(|way| shows_all_words(*way, "speaks_and_aborts"));
}

#[test]
fn words_before_the_time_was_up_are_shown() {
    shows_all_words(CARGO_TEST, "speaks_and_never_ends");
    shows_all_words(CARGO_ISOTEST, "speaks_and_never_ends");
}

#[test]
fn words_on_a_line_without_an_end_are_shown() {
    for way in ALL {
        let text = text(&way.fails("fails_in_the_middle_of_a_line", &[]));
        for words in ["stdout without an end", "stderr without an end"] {
            assert!(text.contains(words), "{way:?} does not show {words:?}:\n{text}");
        }
    }
}

#[test]
fn what_libtest_might_have_written_is_the_test_s_own_when_the_test_wrote_it() {
    for way in ALL {
        for (test, ends_well) in [
            ("imitates_the_harness_and_passes", true),
            ("imitates_the_harness_and_fails", false),
            ("imitates_the_harness_and_aborts", false),
        ] {
            let output = if ends_well { way.passes(test, &["--nocapture"]) } else { way.fails(test, &[]) };
            let text = text(&output);
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            let imitated = [
                "running 1 test",
                "first words",
                &format!("test {} ... ok", way.name(test)),
                "",
                "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            ];
            assert!(lines.windows(imitated.len()).any(|window| window == imitated), "{way:?} {test}:\n{text}");
        }
    }
}

#[test]
fn where_libtest_captures_bytes_that_are_no_text_are_escaped() {
    let text = text(&CARGO_TEST.fails("writes_bytes_that_are_no_text", &[]));
    for words in ["stdout \\xff\\xfe\0\\x80 bytes\n", "stderr \\xff\\xfe\0\\x80 bytes\n"] {
        assert!(text.contains(words), "{words:?} is not shown:\n{text}");
    }
}

#[test]
fn where_libtest_does_not_capture_bytes_that_are_no_text_stay_as_they_are() {
    let output = CARGO_TEST.fails("writes_bytes_that_are_no_text", &["--nocapture"]);
    for (stream, words) in
        [(output.stdout, &b"stdout \xff\xfe\0\x80 bytes\n"[..]), (output.stderr, &b"stderr \xff\xfe\0\x80 bytes\n"[..])]
    {
        let text = String::from_utf8_lossy(&stream);
        assert!(stream.windows(words.len()).any(|window| window == words), "{text}");
    }
}

#[test]
fn under_cargo_isotest_they_stay_as_they_are_too() {
    let output = CARGO_ISOTEST.fails("writes_bytes_that_are_no_text", &[]);
    for words in [&b"stdout \xff\xfe\0\x80 bytes\n"[..], b"stderr \xff\xfe\0\x80 bytes\n"] {
        let shown = output.stderr.windows(words.len()).any(|window| window == words);
        assert!(shown, "{}", output.stderr.escape_ascii());
    }
}

#[test]
fn a_child_that_holds_the_outputs_holds_up_nobody() {
    for way in [CARGO_TEST, CARGO_ISOTEST, ITS_HARNESS, AFRESH] {
        let text = text(&way.fails("leaves_a_child_that_holds_its_outputs", &[]));
        assert!(text.contains("own words to stdout\n"), "{way:?}:\n{text}");
    }
}
