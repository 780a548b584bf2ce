//! Machines that refuse something, and the suite of the fixture `quiet` run on them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use isotest_tests::{Fixture, text};

/// The suite: 4 tests in `anywhere`, one of them no isotest; 6 in `sandboxed`; 1 in `strange`, which has no door.
const QUIET: Fixture = Fixture("quiet");

/// A machine.
#[derive(Default)]
pub(crate) struct Machine {
    /// What `refusing-machine` makes it from.
    words: Vec<String>,
    /// What its user has put into `ISOTEST_UNAVAILABLE`.
    choice: Option<&'static str>,
}

/// How a suite's run ended.
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// All that was written.
    pub(crate) text: String,
}

impl Machine {
    /// An ordinary user's, in namespaces of our own, so that it is the same one whoever runs these tests.
    pub(crate) fn of_a_user() -> Machine {
        Machine::default().that("user=1000")
    }

    /// Root's, in namespaces of our own.
    pub(crate) fn of_root_in_a_container() -> Machine {
        Machine::default().that("user=0")
    }

    /// The strongest root there is: the real one, if that is who runs these tests.
    pub(crate) fn of_root() -> Machine {
        if nix::unistd::geteuid().is_root() {
            Machine::default().that("mounts")
        } else {
            Self::of_root_in_a_container()
        }
    }

    /// One whose user namespace knows nobody.
    pub(crate) fn of_a_stranger() -> Machine {
        Machine::default().that("stranger")
    }

    /// The same, refusing something more; `refusing-machine/refusal.rs` lists what.
    pub(crate) fn that(mut self, refuses: &str) -> Machine {
        self.words.push(refuses.to_owned());
        self
    }

    /// The same with another root directory: `how` is one of `chroot` and `chroot-to-mount`.
    pub(crate) fn in_a(self, how: &str) -> Machine {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(how);
        std::fs::create_dir_all(&place).expect("a directory can be made");
        self.that(&format!("{how}={}", place.display()))
    }

    /// The same, whose user has made this choice.
    pub(crate) fn choosing(mut self, choice: &'static str) -> Machine {
        self.choice = Some(choice);
        self
    }

    /// Plain `cargo test ARGUMENTS`.
    pub(crate) fn cargo_test(&self, arguments: &[&str]) -> Ended {
        build();
        self.run(&QUIET.cargo(&[&["test", "--offline"], arguments].concat()))
    }

    /// `cargo isotest run --no-fail-fast ARGUMENTS`.
    pub(crate) fn cargo_isotest(&self, arguments: &[&str]) -> Ended {
        build();
        self.run(&QUIET.cargo_isotest(&[&["run", "--offline", "--no-fail-fast"], arguments].concat()))
    }

    /// The test binary `anywhere` itself, as an editor would run it.
    pub(crate) fn test_binary(&self, arguments: &[&str]) -> Ended {
        self.run(Command::new(build()).args(arguments).current_dir(QUIET.directory()))
    }

    fn run(&self, command: &Command) -> Ended {
        // Nothing here takes long: five minutes is for machines with much else to do.
        let mut inside = Command::new("timeout");
        inside.args(["--kill-after=5", "300", env!("CARGO_BIN_EXE_refusing-machine")]).args(&self.words).arg("--");
        inside.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        match self.choice {
            Some(choice) => inside.env("ISOTEST_UNAVAILABLE", choice),
            None => inside.env_remove("ISOTEST_UNAVAILABLE"),
        };
        if let Some(directory) = command.get_current_dir() {
            inside.current_dir(directory);
        }
        let output: Output = inside.output().expect("timeout(1) is installed");
        Ended { code: output.status.code(), text: text(&output) }
    }
}

/// Builds the suite where nothing is refused; gives the path of `anywhere`.
fn build() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let output = QUIET.cargo(&["test", "--no-run"]).output().expect("cargo starts");
        let text = text(&output);
        assert!(output.status.success(), "{text}");
        let line = text.lines().find_map(|line| line.trim().strip_prefix("Executable tests/anywhere.rs ("));
        PathBuf::from(line.and_then(|line| line.strip_suffix(')')).expect("cargo says where the binary is"))
    })
}

impl Ended {
    /// Every report of a refusal, from its first word to its last.
    pub(crate) fn reports(&self) -> Vec<&str> {
        let parts = self.text.match_indices("error: cannot isolate ").map(|(at, _)| &self.text[at..]);
        // A test that only refers to another's report says so in one line.
        let reports = parts.filter(|part| part.lines().next().is_some_and(|line| line.contains("`: ")));
        reports.map(|part| part.split_inclusive(LAST_WORDS).next().unwrap_or_default()).collect()
    }
}

const LAST_WORDS: &str = "=run runs them without isolation\n";
