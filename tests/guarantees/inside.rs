//! Runs tests of the fixture `guarantees`, and meets them while they run to watch them from outside.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use isotest_tests::{Fixture, text};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use crate::bounded::bounded;

/// Tests of the fixture that are about to run.
pub(crate) struct Inside {
    meeting: TempDir,
    command: Command,
}

/// Tests of the fixture that run.
pub(crate) struct Running {
    meeting: TempDir,
    arrived: File,
    go: File,
    child: Child,
}

/// A word that no other test, and no other run, uses.
pub(crate) fn mark() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("guarantees-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// One test of the fixture.
pub(crate) fn inside(test: &str) -> Inside {
    inside_after("", &["--exact", test])
}

/// Several at once: all whose names contain this.
pub(crate) fn inside_at_once(tests: &str) -> Inside {
    inside_after("", &[tests, "--test-threads=8"])
}

/// Several, in one process and one after the other.
pub(crate) fn inside_in_turn(tests: &str) -> Inside {
    inside_after("", &[tests, "--test-threads=1"])
}

/// The tests that these arguments of libtest choose, started by a shell that has done this before.
pub(crate) fn inside_after(shell: &str, arguments: &[&str]) -> Inside {
    let meeting = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a place to meet");
    std::fs::create_dir(meeting.path().join("mount")).expect("a new directory");
    let mut command = bounded("sh", &FIXTURE.cargo(&[]));
    command.args(["-c", &format!("{shell}\nexec \"$@\""), "sh"]);
    command.arg(binary()).args(arguments).arg("--nocapture").current_dir(FIXTURE.directory());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Inside { meeting, command }.told("MARK", &mark())
}

pub(crate) const FIXTURE: Fixture = Fixture("guarantees");

/// The fixture's test binary, built once.
pub(crate) fn binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let build = FIXTURE.cargo(&["test", "--no-run", "--test", "inside"]).output().expect("cargo starts");
        let said = text(&build);
        let named = said.lines().find_map(|line| line.trim().strip_prefix("Executable tests/inside/main.rs ("));
        let path = named.and_then(|rest| rest.strip_suffix(')')).unwrap_or_else(|| panic!("{said}"));
        FIXTURE.directory().join(path)
    })
}

impl Inside {
    /// Lets them know something of the outside.
    pub(crate) fn told(mut self, name: &str, value: &str) -> Inside {
        self.command.env(format!("GUARANTEES_{name}"), value);
        self
    }

    /// Sets or replaces any variable of their environment.
    pub(crate) fn environment(mut self, name: &str, value: &Path) -> Inside {
        self.command.env(name, value);
        self
    }

    /// Starts them.
    pub(crate) fn start(mut self) -> Running {
        // Open on both sides from the beginning, so that nobody waits for the other to open.
        let [arrived, go] = ["arrived", "go"].map(|name| {
            let path = self.meeting.path().join(name);
            mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO");
            File::options().read(true).write(true).open(&path).expect("the new FIFO opens")
        });
        let child = self.command.env("GUARANTEES_MEETING", self.meeting.path()).spawn().expect("the fixture starts");
        Running { meeting: self.meeting, arrived, go, child }
    }

    /// Starts them, and asserts that they pass.
    pub(crate) fn passes(self) {
        self.start().passes();
    }
}

impl Running {
    /// Waits until `count` tests have come to the point where they want to be watched.
    pub(crate) fn meet(&mut self, count: usize) {
        for _ in 0..count {
            let mut events = [PollFd::new(self.arrived.as_fd(), PollFlags::POLLIN)];
            if poll(&mut events, PollTimeout::from(30_000_u16)).expect("the FIFO can be polled") == 0 {
                self.child.kill().expect("the fixture can be killed");
                panic!("nobody comes; the fixture must have failed");
            }
            self.arrived.read_exact(&mut [0]).expect("a FIFO that is ready can be read");
        }
    }

    /// Lets `count` of them go on.
    pub(crate) fn let_go(&mut self, count: usize) {
        self.go.write_all(&vec![b'.'; count]).expect("the FIFO has room");
    }

    /// Where they and this side can both leave files.
    pub(crate) fn meeting_place(&self) -> &Path {
        self.meeting.path()
    }

    /// Waits for the end; gives what libtest and the tests wrote.
    pub(crate) fn ends(self) -> String {
        let output = self.child.wait_with_output().expect("the fixture ends");
        text(&output)
    }

    /// Asserts that they pass.
    pub(crate) fn passes(self) {
        let text = self.ends();
        assert!(text.contains("test result: ok.") && !text.contains(" 0 passed"), "{text}");
    }

    /// Asserts that one of them fails, and says so in these words.
    pub(crate) fn fails(self, words: &str) {
        let text = self.ends();
        assert!(text.contains(" 1 failed;") && text.contains(words), "{text}");
    }
}
