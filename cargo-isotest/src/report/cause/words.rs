//! What does a test's standard error say of its failure? A pure function on text.
//!
//! Several panics may stand there: of threads that the test started, of panics that it caught, of a property test that
//! tries again and again. The last one with the message that the wrapper has seen counts; where no wrapper has, the last one of
//! the test's own thread; where that has not panicked, the last of all.

use isotest::runner::Word;

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// As the compiler was given it: from the workspace's root, or absolute.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: u32,
    /// From 1.
    pub(crate) column: u32,
}

impl Place {
    /// Reads `src/lib.rs:1:2`.
    pub(super) fn parse(text: &str) -> Option<Place> {
        let (rest, column) = text.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        let number = |digits: &str| digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let well_formed = !file.is_empty() && !file.contains('\n');
        well_formed.then_some(Place { file: file.to_owned(), line: number(line)?, column: number(column)? })
    }

    /// Whether it stands in the standard library: there a panic is told, not caused.
    fn is_in_std(&self) -> bool {
        self.file.starts_with("/rustc/") || self.file.starts_with("library/")
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) headline: String,
    pub(super) message: String,
    pub(super) place: Option<Place>,
    pub(super) text: String,
}

/// How much is kept after a headline: a message, a backtrace.
const LONGEST: usize = 64 << 10;

/// What stands behind a panic's message.
const BEHIND_A_MESSAGE: [&str; 3] =
    ["note: run with `RUST_BACKTRACE=", "stack backtrace:", "note: Some details are omitted"];

/// Looks for what the test called `test` says of its failure.
pub(super) fn find(stderr: &str, test: &str, word: &Word) -> Option<Words> {
    // A test that has returned `Err` may have caught panics before.
    if *word == Word::Failed {
        return error(stderr).or_else(|| overflow(stderr));
    }
    let panics = panics(stderr);
    let seen = match word {
        Word::Panicked(Some(message)) => Some(message.as_str()),
        _ => None,
    };
    let said = |panic: &&Panic<'_>| seen.is_some_and(|seen| panic.says(seen));
    let own = |panic: &&Panic<'_>| panic.thread == test;
    let outside = |panic: &&Panic<'_>| panic.place.as_ref().is_some_and(|place| !place.is_in_std());
    let last = |is_it: &dyn Fn(&&Panic<'_>) -> bool| panics.iter().rev().find(is_it);
    let chosen = last(&|panic| said(panic) && own(panic))
        .or_else(|| last(&said))
        .or_else(|| last(&|panic| own(panic) && outside(panic)))
        .or_else(|| last(&own))
        .or_else(|| last(&outside))
        .or(panics.last());
    match chosen {
        Some(panic) => Some(panic.words(stderr, seen)),
        None => overflow(stderr).or_else(|| error(stderr)),
    }
}

/// A panic, as the standard library's hook tells it.
struct Panic<'t> {
    thread: &'t str,
    place: Option<Place>,
    /// Where its first line begins.
    at: usize,
    /// `thread '…' panicked at …`, without a colon at its end.
    headline: &'t str,
    message: &'t str,
    /// All that stands from the message on.
    rest: &'t str,
}

/// The wrapper keeps a little more than this of a message, and the rest of a longer one can't be compared.
const COMPARED: usize = 20 << 10;

impl Panic<'_> {
    fn says(&self, message: &str) -> bool {
        let behind = self.rest.strip_prefix(message.trim_end());
        let ends = |behind: &str| behind.is_empty() || behind.starts_with('\n') || behind.starts_with("', ");
        behind.is_some_and(|behind| ends(behind) || message.len() > COMPARED)
    }

    fn words(&self, stderr: &str, seen: Option<&str>) -> Words {
        let message = seen.filter(|seen| self.says(seen)).unwrap_or(self.message);
        Words {
            headline: self.headline.to_owned(),
            message: message.to_owned(),
            place: self.place.clone(),
            text: from(stderr, self.at),
        }
    }
}

fn panics(text: &str) -> Vec<Panic<'_>> {
    let starts = text.match_indices("thread '").map(|(at, _)| at);
    let starts = starts.filter(|&at| at == 0 || text.as_bytes()[at - 1] == b'\n');
    starts.filter_map(|at| panic_at(text, at)).collect()
}

fn panic_at(text: &str, at: usize) -> Option<Panic<'_>> {
    let line = text[at..].lines().next()?;
    let (before, _) = line.split_once(" panicked at ")?;
    let behind = at + before.len() + " panicked at ".len();
    let thread = thread(before)?;
    if text[behind..].starts_with('\'') {
        return old_panic(text, at, behind, thread);
    }
    let headline = line.trim_end_matches(':');
    let place = Place::parse(&headline[before.len() + " panicked at ".len()..]);
    let rest = text[at + line.len()..].strip_prefix('\n').unwrap_or_default();
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if BEHIND_A_MESSAGE.iter().any(|what| line.starts_with(what)) || is_a_headline(line) {
            break;
        }
        end += line.len();
    }
    Some(Panic { thread, place, at, headline, message: rest[..end].trim_end(), rest })
}

/// Before Rust 1.73: `thread 'name' panicked at 'message', src/lib.rs:1:2`, the message over as many lines as it has.
fn old_panic<'t>(text: &'t str, at: usize, behind: usize, thread: &'t str) -> Option<Panic<'t>> {
    let quoted = &text[behind + 1..];
    let ends = quoted.match_indices("', ");
    let (end, place, length) = ends.into_iter().find_map(|(end, _)| {
        let place = quoted[end + 3..].lines().next()?;
        Some((end, Place::parse(place)?, place.len()))
    })?;
    let headline = text[at..behind + 1 + end + 3 + length].lines().next().unwrap_or_default();
    Some(Panic { thread, place: Some(place), at, headline, message: &quoted[..end], rest: quoted })
}

/// The name in `thread 'name'`, or in `thread 'name' (123)`, as Rust 1.91 and later write it.
fn thread(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("thread '")?;
    let rest = match rest.rsplit_once(" (") {
        Some((name, id)) if id.strip_suffix(')').is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit())) => name,
        _ => rest,
    };
    rest.strip_suffix('\'')
}

fn is_a_headline(line: &str) -> bool {
    line.split_once(" panicked at ").is_some_and(|(before, _)| thread(before).is_some())
}

/// `Error: …`, as `main` and tests tell an `Err`.
fn error(stderr: &str) -> Option<Words> {
    let (at, line) = lines(stderr).filter(|(_, line)| line.starts_with("Error: ")).last()?;
    let message = from(stderr, at);
    let own = message.strip_prefix("Error: ").unwrap_or(&message).to_owned();
    Some(Words { headline: line.to_owned(), message: own, place: None, text: message })
}

/// `thread '…' has overflowed its stack`.
fn overflow(stderr: &str) -> Option<Words> {
    let told = |line: &str| line.strip_suffix(" has overflowed its stack").is_some_and(|name| thread(name).is_some());
    let (at, line) = lines(stderr).filter(|(_, line)| told(line)).last()?;
    Some(Words { headline: line.to_owned(), message: line.to_owned(), place: None, text: from(stderr, at) })
}

/// Each line and where it begins.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        at += line.len();
        (at - line.len(), line.trim_end())
    })
}

/// What stands there, to the end or as far as anybody reads.
fn from(text: &str, at: usize) -> String {
    let rest = &text[at..];
    let end = if rest.len() <= LONGEST { rest.len() } else { rest.floor_char_boundary(LONGEST) };
    rest[..end].trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use isotest::runner::Word;

    use super::{Place, Words, find};

    fn at(file: &str, line: u32, column: u32) -> Option<Place> {
        Some(Place { file: file.to_owned(), line, column })
    }

    fn found(stderr: &str) -> Words {
        found_with(stderr, &Word::None)
    }

    fn found_with(stderr: &str, word: &Word) -> Words {
        find(stderr, "a::b", word).unwrap_or_else(|| panic!("nothing in {stderr:?}"))
    }

    #[test]
    fn a_panic_is_found_with_its_place() {
        let words = found(
            "hello\n\nthread 'a::b' (17) panicked at src/x.rs:12:5:\nassertion failed\n  left: 1\n right: 2\nnote: run with \
             `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
        );
        assert_eq!(words.headline, "thread 'a::b' (17) panicked at src/x.rs:12:5");
        assert_eq!(words.message, "assertion failed\n  left: 1\n right: 2");
        assert_eq!(words.place, at("src/x.rs", 12, 5));
        assert!(words.text.starts_with("thread 'a::b' (17)") && words.text.ends_with("a backtrace"), "{}", words.text);
    }

    #[test]
    fn a_message_ends_where_a_backtrace_begins() {
        let words = found("thread 'a::b' panicked at src/x.rs:1:2:\nboom\nstack backtrace:\n   0: rust_begin_unwind\n");
        assert_eq!((words.message.as_str(), words.place), ("boom", at("src/x.rs", 1, 2)));
        assert!(words.text.ends_with("rust_begin_unwind"));
    }

    #[test]
    fn older_compilers_write_the_message_first() {
        let words = found("thread 'a::b' panicked at 'it's, well', src/x.rs:3:4\nnote: run with `RUST_BACKTRACE=1`\n");
        assert_eq!((words.message.as_str(), words.place), ("it's, well", at("src/x.rs", 3, 4)));
        assert_eq!(words.headline, "thread 'a::b' panicked at 'it's, well', src/x.rs:3:4");
        let words = found("thread 'a::b' panicked at 'one\ntwo', C:\\x.rs:3:4\n");
        assert_eq!((words.message.as_str(), words.place), ("one\ntwo", at("C:\\x.rs", 3, 4)));
        assert_eq!(words.headline, "thread 'a::b' panicked at 'one");
    }

    #[test]
    fn the_last_panic_of_the_test_s_own_thread_counts() {
        let stderr = "thread 'a::b' panicked at src/x.rs:1:1:\ncaught\nthread 'a::b' panicked at src/x.rs:2:2:\nfatal\n\
                      thread 'worker' panicked at src/x.rs:3:3:\nelsewhere\n";
        let words = found(stderr);
        assert_eq!((words.message.as_str(), words.place), ("fatal", at("src/x.rs", 2, 2)));
        let only_others =
            found("thread '<unnamed>' panicked at src/x.rs:3:3:\none\nthread 'w' panicked at src/x.rs:4:4:\ntwo\n");
        assert_eq!(only_others.message, "two");
    }

    #[test]
    fn what_the_wrapper_has_seen_counts_more() {
        let stderr = "thread 'a::b' panicked at src/x.rs:1:1:\nfatal\nthread 'a::b' panicked at src/x.rs:2:2:\nin a destructor\n";
        let words = found_with(stderr, &Word::Panicked(Some("fatal".to_owned())));
        assert_eq!((words.message.as_str(), words.place), ("fatal", at("src/x.rs", 1, 1)));
        let unprinted = found_with(stderr, &Word::Panicked(Some("never printed".to_owned())));
        assert_eq!(unprinted.message, "in a destructor");
    }

    #[test]
    fn a_message_that_looks_like_a_note_is_whole_where_the_wrapper_has_seen_it() {
        let message = "one\nstack backtrace:\ntwo";
        let stderr = format!("thread 'a::b' panicked at src/x.rs:1:1:\n{message}\nnote: run with `RUST_BACKTRACE=1`\n");
        assert_eq!(found_with(&stderr, &Word::Panicked(Some(message.to_owned()))).message, message);
        assert_eq!(found(&stderr).message, "one");
    }

    #[test]
    fn the_standard_library_s_own_place_counts_less() {
        let stderr = "thread 'a::b' panicked at src/x.rs:1:1:\nboom\nthread 'a::b' panicked at \
                      library/core/src/panicking.rs:233:5:\npanic in a destructor during cleanup\n";
        assert_eq!(found(stderr).message, "boom");
        let only_there = found("thread 'a::b' panicked at library/core/src/panicking.rs:233:5:\nboom\n");
        assert_eq!(only_there.message, "boom");
    }

    #[test]
    fn an_err_is_found_and_caught_panics_are_not() {
        let stderr = "thread 'a::b' panicked at src/x.rs:1:1:\ncaught\nError: Custom { kind: Other }\n";
        let words = found_with(stderr, &Word::Failed);
        assert_eq!((words.headline.as_str(), words.place), ("Error: Custom { kind: Other }", None));
        assert_eq!(words.message, "Custom { kind: Other }");
        assert_eq!(found("Error: \"as promised\"\n").message, "\"as promised\"");
    }

    #[test]
    fn an_overflown_stack_is_no_panic_and_is_found() {
        let stderr = "\nthread 'a::b' (3) has overflowed its stack\nfatal runtime error: stack overflow, aborting\n";
        assert_eq!(found(stderr).headline, "thread 'a::b' (3) has overflowed its stack");
    }

    #[test]
    fn what_only_looks_like_a_panic_is_none() {
        for stderr in ["", "thread 'a::b' said hello\n", "a thread 'a::b' panicked at src/x.rs:1:1:\n", "error: no\n"] {
            assert_eq!(find(stderr, "a::b", &Word::None), None, "{stderr:?}");
        }
    }

    #[test]
    fn a_place_has_two_numbers() {
        assert_eq!(Place::parse("src/x.rs:1:2"), at("src/x.rs", 1, 2));
        for wrong in ["", "src/x.rs", "src/x.rs:1", ":1:2", "src/x.rs:+1:2", "src/x.rs:1:x"] {
            assert_eq!(Place::parse(wrong), None, "{wrong:?}");
        }
    }
}
