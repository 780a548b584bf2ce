//! The fixtures `several` and `dynamic`, and who runs them.

use std::process::Command;

use isotest_tests::Fixture;

pub(crate) const SEVERAL: Fixture = Fixture("several");
pub(crate) const DYNAMIC: Fixture = Fixture("dynamic");

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
