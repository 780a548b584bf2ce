//! Tells a test's own output from what libtest writes around it.
//!
//! A test process runs libtest's `main` with one test and no capture, so its stdout is `\nrunning 1 test\n`, the test's
//! own output, `test NAME ... ok\n\ntest result: ok. 1 passed; …`. [`Filter`] passes on what is in the middle.

/// Separates a stream as it comes, in bounded memory.
#[derive(Debug)]
pub struct Filter {
    marker: Vec<u8>,
    /// What libtest says in the middle of a test that takes long.
    impatience: Vec<u8>,
    head: Head,
    held: Vec<u8>,
    tail: Vec<u8>,
}

/// libtest's first words, `running 1 test` on a line of its own behind an empty one. A test that is registered twice
/// makes it `2 tests`.
#[derive(Debug)]
enum Head {
    /// What has come so far may be their beginning.
    Reading(Vec<u8>),
    Seen,
    /// The stream began with something else: this is no libtest.
    Absent,
}

impl Head {
    fn of(beginning: Vec<u8>) -> (Head, Vec<u8>) {
        const START: &[u8] = b"\nrunning ";
        const LONGEST: usize = 40;
        if START.starts_with(&beginning) {
            return (Head::Reading(beginning), Vec::new());
        }
        let Some(rest) = beginning.strip_prefix(START) else { return (Head::Absent, beginning) };
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or(rest);
        let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match (&line[digits..], rest.len() > line.len()) {
            (b" test" | b" tests", true) if digits > 0 => (Head::Seen, rest[line.len() + 1..].to_vec()),
            (_, false) if line.len() < LONGEST => (Head::Reading(beginning), Vec::new()),
            _ => (Head::Absent, beginning),
        }
    }
}

/// libtest's closing words are shorter, unless a test failed with a message of this length.
const LONGEST_TAIL: usize = 64 * 1024;

impl Filter {
    /// For the output of this test.
    #[must_use]
    pub fn new(test: &str) -> Filter {
        Filter {
            marker: format!("test {test} ").into_bytes(),
            impatience: format!("test {test} has been running for over 60 seconds\n").into_bytes(),
            head: Head::Reading(Vec::new()),
            held: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// Takes the next piece; gives what is certainly the test's.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        if let Head::Reading(beginning) = &mut self.head {
            beginning.extend_from_slice(piece);
            let beginning = std::mem::take(beginning);
            (self.head, self.held) = Head::of(beginning);
        } else {
            self.held.extend_from_slice(piece);
        }
        // It begins as the closing words do, so it is whole before any of it is passed on.
        if let (Head::Seen, Some(at)) = (&self.head, memchr::memmem::find(&self.held, &self.impatience)) {
            self.held.drain(at..at + self.impatience.len());
        }
        // What might be the beginning of libtest's closing words stays back.
        let from = self.last_marker().filter(|at| self.held.len() - at <= LONGEST_TAIL);
        let keep = from.unwrap_or_else(|| self.held.len() - self.partial_marker());
        let rest = self.held.split_off(keep);
        std::mem::replace(&mut self.held, rest)
    }

    /// The stream has ended: gives what is left of the test's output.
    pub fn finish(&mut self) -> Vec<u8> {
        let rest = match &mut self.head {
            Head::Reading(beginning) => std::mem::take(beginning),
            Head::Seen | Head::Absent => std::mem::take(&mut self.held),
        };
        if rest.starts_with(&self.marker) && contains(&rest, b"\ntest result: ") {
            self.tail = rest;
            return Vec::new();
        }
        rest
    }

    /// Gives back what was taken for libtest's closing words, where the process ended as libtest never does: then the test
    /// wrote them itself.
    pub fn take_back(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.tail)
    }

    /// Whether libtest spoke at all. Another harness may say what it likes, and then its exit status is all there is.
    #[must_use]
    pub fn is_libtest_s(&self) -> bool {
        matches!(self.head, Head::Seen)
    }

    /// Whether libtest came to its closing words without having run the test.
    #[must_use]
    pub fn ran_nothing(&self) -> bool {
        contains(&self.tail, b"\ntest result: ok. 0 passed; 0 failed;")
    }

    /// Whether libtest came to its closing words.
    #[must_use]
    pub fn finished(&self) -> bool {
        !self.tail.is_empty()
    }

    /// What libtest noted about a failure: why `#[should_panic]` was not satisfied, that a result was `Err`.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.tail);
        // libtest writes `---- NAME stdout ----`, libtest-mimic `---- NAME ----`.
        let (_, from_title) = text.split_once("\n---- ")?;
        let (_, section) = from_title.split_once(" ----\n")?;
        let (note, _) = section.split_once("\n\nfailures:\n")?;
        Some(note.trim().to_owned())
    }

    fn last_marker(&self) -> Option<usize> {
        memchr::memmem::rfind(&self.held, &self.marker)
    }

    /// How many bytes at the end could be the beginning of the marker.
    fn partial_marker(&self) -> usize {
        let longest = self.marker.len().min(self.held.len());
        (1..=longest).rev().find(|length| self.held.ends_with(&self.marker[..*length])).unwrap_or(0)
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Turns bytes into text piece by piece: bytes that are no text become `\xNN`, so that nothing is lost.
#[derive(Debug, Default)]
pub(crate) struct Printable {
    /// The beginning of a character whose rest has not come yet.
    begun: Vec<u8>,
}

impl Printable {
    /// Takes the next piece; gives what is certain.
    pub(crate) fn push(&mut self, piece: &[u8]) -> String {
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend_from_slice(piece);
        let certain = bytes.len() - unfinished(&bytes);
        self.begun = bytes.split_off(certain);
        escaped(&bytes)
    }

    /// The stream has ended: gives what is left.
    pub(crate) fn finish(&mut self) -> String {
        escaped(&std::mem::take(&mut self.begun))
    }
}

/// How many bytes at the end begin a character of UTF-8 and do not end it.
fn unfinished(bytes: &[u8]) -> usize {
    let last = &bytes[bytes.len().saturating_sub(3)..];
    let Some(from_end) = last.iter().rev().position(|byte| byte & 0b1100_0000 != 0b1000_0000).map(|at| at + 1) else {
        return 0;
    };
    let begun = &bytes[bytes.len() - from_end..];
    match std::str::from_utf8(begun) {
        Err(error) if error.error_len().is_none() => from_end,
        _ => 0,
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Filter, Printable};

    fn filter(pieces: &[&str]) -> (String, Filter) {
        let mut filter = Filter::new("a::b");
        let mut passed: Vec<u8> = pieces.iter().flat_map(|piece| filter.push(piece.as_bytes())).collect();
        passed.extend(filter.finish());
        (String::from_utf8(passed).expect("text"), filter)
    }

    #[test]
    fn what_libtest_writes_around_a_test_is_taken_off() {
        let (passed, filter) = filter(&[
            "\nrunn",
            "ing 1 test\nhello",
            "test a::b ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\n",
        ]);
        assert_eq!(passed, "hello");
        assert!(filter.finished() && !filter.ran_nothing());
    }

    #[test]
    fn a_harness_with_words_of_its_own_is_told_from_libtest() {
        let (passed, other) = filter(&["\nrunning late\n"]);
        assert_eq!(passed, "\nrunning late\n");
        assert!(!other.is_libtest_s());
        let (passed, libtest) = filter(&["\nrunning ", "12", " tests\nhello"]);
        assert_eq!(passed, "hello");
        assert!(libtest.is_libtest_s());
    }

    #[test]
    fn what_libtest_says_of_a_test_that_takes_long_is_taken_off() {
        let (passed, filter) = filter(&[
            "\nrunning 1 test\none\ntest a::b has been running ",
            "for over 60 seconds\ntwo\ntest a::b has been seen\n",
            "test a::b ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\n",
        ]);
        assert_eq!(passed, "one\ntwo\ntest a::b has been seen\n");
        assert!(filter.finished());
    }

    #[test]
    fn a_test_that_never_finished_is_not_called_passed() {
        let (passed, filter) = filter(&["\nrunning 1 test\nhello"]);
        assert_eq!(passed, "hello");
        assert!(!filter.finished());
    }

    #[test]
    fn output_that_looks_like_the_end_is_kept() {
        let (passed, filter) =
            filter(&["\nrunning 1 test\ntest a::b ... ", "no\n", "test a::b ... FAILED\n\ntest result: FAILED."]);
        assert_eq!(passed, "test a::b ... no\n");
        assert!(filter.finished());
    }

    #[test]
    fn closing_words_that_were_the_test_s_own_are_given_back() {
        let imitation = "test a::b ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\n";
        let (passed, mut filter) = filter(&["\nrunning 1 test\n", imitation]);
        assert_eq!(passed, "");
        assert_eq!(filter.take_back(), imitation.as_bytes());
        assert!(!filter.finished());
    }

    #[test]
    fn a_note_of_the_harness_is_found() {
        let tail = "test a::b - should panic ... FAILED\n\nfailures:\n\n---- a::b stdout ----\nnote: test did not panic as \
                    expected at src/lib.rs:1:1\n\nfailures:\n    a::b\n\ntest result: FAILED. 0 passed; 1 failed;";
        let (_, filter) = filter(&["\nrunning 1 test\n", tail]);
        assert_eq!(filter.note().as_deref(), Some("note: test did not panic as expected at src/lib.rs:1:1"));
    }

    #[test]
    fn bytes_that_are_no_text_are_not_lost() {
        let mut text = Printable::default();
        assert_eq!(text.push(b"a\xff\xfeb\xc3"), "a\\xff\\xfeb");
        assert_eq!(text.finish(), "\\xc3");
    }

    #[test]
    fn a_character_may_come_in_pieces() {
        for split in 1.."é😀".len() {
            let mut text = Printable::default();
            let (one, other) = "é😀".as_bytes().split_at(split);
            assert_eq!(text.push(one) + &text.push(other) + &text.finish(), "é😀", "split at {split}");
        }
    }
}
