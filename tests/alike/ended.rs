//! The fixtures `several` and `dynamic`, and how a run of theirs has ended.

use std::process::Command;

use isotest_tests::Fixture;

pub(crate) const SEVERAL: Fixture = Fixture("several");
pub(crate) const DYNAMIC: Fixture = Fixture("dynamic");

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Ended {
        let output = command.output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }
}

/// `cargo test ARGUMENTS`.
pub(crate) fn cargo_test(fixture: Fixture, arguments: &[&str]) -> Command {
    fixture.cargo(&[&["test"], arguments].concat())
}

/// `cargo isotest ARGUMENTS`, started as cargo starts it: that would find this repository's alias of the same name.
pub(crate) fn cargo_isotest(fixture: Fixture, arguments: &[&str]) -> Command {
    let mut command = fixture.cargo_isotest(arguments);
    command.env("CARGO", env!("CARGO"));
    command
}

/// The triple of this machine, as one types it.
pub(crate) fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names the host").to_owned()
}
