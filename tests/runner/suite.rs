//! The fixture `every-outcome`, run by `cargo isotest` as a user runs a workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use isotest_tests::Fixture;
use tempfile::TempDir;

const EVERY_OUTCOME: Fixture = Fixture("every-outcome");

/// A target directory of its own, in which what all share is built: what one test's runs remember is nobody else's. It is also
/// the place where tests of the fixture and the tests here meet.
pub(crate) struct Suite {
    target: TempDir,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Suite {
    pub(crate) fn new() -> Suite {
        let target = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made");
        let shared = EVERY_OUTCOME.cargo(&[]);
        let shared = shared.get_envs().find(|(name, _)| *name == "CARGO_TARGET_DIR").and_then(|(_, value)| value);
        let debug = Path::new(shared.expect("fixtures have a target directory")).join("debug");
        fs::create_dir_all(&debug).expect("a directory can be made");
        std::os::unix::fs::symlink(debug, target.path().join("debug")).expect("a link can be made");
        Suite { target }
    }

    /// With this configuration.
    pub(crate) fn configured(text: &str) -> Suite {
        let suite = Suite::new();
        fs::write(suite.place().join("isotest.toml"), text).expect("the place is writable");
        suite
    }

    /// Where tests and those who run them meet.
    pub(crate) fn place(&self) -> &Path {
        self.target.path()
    }

    /// `cargo isotest ARGUMENTS`.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = EVERY_OUTCOME.cargo_isotest(arguments);
        let configuration = self.configuration();
        if configuration.exists() {
            command.arg("--config-file").arg(configuration);
        }
        command.env("CARGO_TARGET_DIR", self.place()).env("PLACE", self.place()).env("CARGO_TERM_QUIET", "true");
        command
    }

    /// Runs `cargo isotest run ARGUMENTS`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(&[&["run"], arguments].concat()))
    }

    /// Runs `cargo isotest list ARGUMENTS`.
    pub(crate) fn list(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(&[&["list"], arguments].concat()))
    }

    /// What tests have noted in the file of this name, and forgets it.
    pub(crate) fn noted(&self, file: &str) -> Vec<String> {
        let path = self.place().join(file);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::remove_file(path).ok(); // Nobody has noted anything.
        text.lines().map(str::to_owned).collect()
    }

    fn configuration(&self) -> PathBuf {
        self.place().join("isotest.toml")
    }
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Ended {
        let output = command.output().expect("cargo isotest starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }

    /// Asserts that the report has a line with these words in this order.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        assert!(self.lines(words) > 0, "no line has {words:?} in\n{}{}", self.out, self.err);
    }

    /// Asserts that it has none.
    #[track_caller]
    pub(crate) fn does_not_say(&self, words: &[&str]) {
        assert_eq!(self.lines(words), 0, "a line has {words:?} in\n{}{}", self.out, self.err);
    }

    /// How many lines have these words in this order.
    pub(crate) fn lines(&self, words: &[&str]) -> usize {
        self.err.lines().chain(self.out.lines()).filter(|line| in_order(line, words)).count()
    }

    /// The tests that a list names, each as `BINARY NAME`.
    pub(crate) fn tests(&self) -> Vec<&str> {
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
