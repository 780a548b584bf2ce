//! How did a program end, and what has it said?

use std::process::Command;

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ended {
    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// When it can't be started.
    #[track_caller]
    pub fn of(command: &mut Command) -> Ended {
        let output = command.output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Asserts the exit code.
    ///
    /// # Panics
    ///
    /// When it is another.
    #[track_caller]
    pub fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    /// Asserts that it says a line with these words in this order.
    ///
    /// # Panics
    ///
    /// When it has none.
    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        assert!(self.lines(words) > 0, "no line has {words:?} in\n{}{}", self.out, self.err);
    }

    /// Asserts that it has none.
    ///
    /// # Panics
    ///
    /// When it has one.
    #[track_caller]
    pub fn does_not_say(&self, words: &[&str]) {
        assert_eq!(self.lines(words), 0, "a line has {words:?} in\n{}{}", self.out, self.err);
    }

    /// How many lines have these words in this order.
    pub fn lines(&self, words: &[&str]) -> usize {
        self.err.lines().chain(self.out.lines()).filter(|line| in_order(line, words)).count()
    }

    /// The tests that a list names, each as `BINARY NAME`.
    pub fn tests(&self) -> Vec<&str> {
        self.out.lines().collect()
    }
}

fn in_order(line: &str, words: &[&str]) -> bool {
    let mut rest = line;
    words.iter().all(|word| match rest.split_once(word) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
