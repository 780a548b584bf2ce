//! A machine that has neither the sources, nor the target directory, nor cargo. Each test here is one: its mounts are its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use isotest_tests::{Fixture, cargo_isotest, text};
use nix::mount::{MsFlags, mount};

pub(crate) const PACKED: Fixture = Fixture("packed");

/// Private, so that every test may use it.
const PLACE: &str = "/tmp/elsewhere";

/// A path in a directory that is empty at first.
pub(crate) fn place(name: &str) -> PathBuf {
    fs::create_dir_all(PLACE).expect("/tmp is private");
    Path::new(PLACE).join(name)
}

/// Builds and packs the fixture, and takes the archive to another machine.
pub(crate) fn archive(arguments: &[&str]) -> PathBuf {
    let file = pack(arguments);
    leave();
    file
}

/// Builds and packs the fixture.
pub(crate) fn pack(arguments: &[&str]) -> PathBuf {
    let file = place("packed.tar.zst");
    let mut command = PACKED.cargo_isotest(&["archive", "--archive-file"]);
    let output = command.arg(&file).args(arguments).output().expect("cargo isotest starts");
    assert!(output.status.success(), "{}", text(&output));
    file
}

/// A checkout of the fixture where it was not built.
pub(crate) fn checkout() -> PathBuf {
    let to = place("checkout");
    let copied = Command::new("cp").arg("--recursive").arg(PACKED.directory()).arg(&to).status().expect("cp starts");
    assert!(copied.success());
    to
}

/// From here on there are neither the fixture's sources nor what was built of them.
pub(crate) fn leave() {
    let build = PACKED.cargo(&[]);
    let target = build.get_envs().find(|(name, _)| *name == "CARGO_TARGET_DIR").and_then(|(_, value)| value);
    for hidden in [PACKED.directory().as_path(), Path::new(target.expect("fixtures have a target directory"))] {
        mount(Some("tmpfs"), hidden, Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("a test may mount");
        assert_eq!(fs::read_dir(hidden).expect("it is a directory").count(), 0);
    }
}

/// `cargo-isotest isotest ARGUMENTS` with an environment in which there is no cargo to be found.
pub(crate) fn runner(arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_isotest());
    command.arg("isotest").args(arguments).env_clear().env("PATH", "/no/such").env("NO_COLOR", "1");
    command.current_dir(place("").as_path());
    command
}

/// How a run of it ended.
pub(crate) struct Ended(Output);

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Ended {
        Ended(command.output().expect("cargo isotest starts"))
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Ended {
        assert_eq!(self.0.status.code(), Some(code), "{}", self.text());
        self
    }

    /// Asserts that it says this.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> &Ended {
        assert!(self.text().contains(words), "it does not say {words:?}:\n{}", self.text());
        self
    }

    /// Both its streams.
    pub(crate) fn text(&self) -> String {
        text(&self.0)
    }

    /// Standard output, in lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.0.stdout).lines().map(str::to_owned).collect()
    }
}
