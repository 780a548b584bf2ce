//! Programs that might hang: a sandbox that never ends must fail its test, not stop the suite.

use std::ffi::OsStr;
use std::process::Command;

/// `program`, in the environment of `command`, killed with its process group after two minutes.
pub(crate) fn bounded(program: impl AsRef<OsStr>, command: &Command) -> Command {
    let mut bounded = Command::new("timeout");
    bounded.args(["--signal=KILL", "120"]).arg(program);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bounded.env(name, value),
            None => bounded.env_remove(name),
        };
    }
    bounded
}
