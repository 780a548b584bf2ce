//! What is typed in the terminal while tests run?
//!
//! Keys come one by one and are not echoed as long as [`Keys`] lives, and Ctrl-C stays what it is.

use std::io::{self, IsTerminal, Stdin};
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, read, tcgetpgrp};

/// The terminal, and how it was before.
pub(crate) struct Keys {
    terminal: Stdin,
    before: Termios,
}

/// What somebody means by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// `t` or Enter: what runs?
    Question,
    /// Nothing that is known here.
    Nothing,
    /// Nobody will type any more.
    End,
}

impl Keys {
    /// Listens, where standard input is a terminal, and we are who it talks to.
    pub(crate) fn listen() -> Option<Keys> {
        let terminal = io::stdin();
        // Whoever changes a terminal from the background is stopped.
        let is_ours = terminal.is_terminal() && tcgetpgrp(&terminal) == Ok(getpgrp());
        let before = is_ours.then(|| tcgetattr(&terminal).ok()).flatten()?;
        let mut by_key = before.clone();
        by_key.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        tcsetattr(&terminal, SetArg::TCSANOW, &by_key).ok()?;
        Some(Keys { terminal, before })
    }

    /// Takes what has been typed, when there is something.
    pub(crate) fn read(&mut self) -> Typed {
        let mut typed = [0; 64];
        // Not by way of a buffer, in which keys might wait unseen.
        match read(&self.terminal, &mut typed) {
            Ok(0) | Err(_) => Typed::End,
            Ok(length) if typed[..length].iter().any(|key| b"tT\r\n".contains(key)) => Typed::Question,
            Ok(_) => Typed::Nothing,
        }
    }
}

impl AsFd for Keys {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.terminal.as_fd()
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // Where it fails there is no terminal any more.
        tcsetattr(&self.terminal, SetArg::TCSANOW, &self.before).ok();
    }
}
