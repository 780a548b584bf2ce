//! A terminal, with the runner in it and somebody before it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use isotest_tests::{Ended, readable};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};

use crate::started::until;

pub(crate) struct Terminal {
    /// What somebody sees and types.
    before: File,
    /// What programs have for a terminal.
    behind: OwnedFd,
    runner: Option<Child>,
    shown: Vec<u8>,
}

impl Terminal {
    pub(crate) fn new() -> Terminal {
        let size = Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).expect("a terminal can be made");
        Terminal { before: pty.master.into(), behind: pty.slave, runner: None, shown: Vec::new() }
    }

    /// Starts it in a session of its own, whose terminal this is.
    pub(crate) fn runs(&mut self, command: &mut Command) {
        let mut session = Command::new("setsid");
        session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        for (name, _) in command.get_envs().filter(|(_, value)| value.is_none()) {
            session.env_remove(name);
        }
        session.current_dir(command.get_current_dir().expect("it runs in a fixture")).env("TERM", "xterm");
        let end = || Stdio::from(self.behind.try_clone().expect("a descriptor can be copied"));
        session.stdin(end()).stdout(end()).stderr(end());
        self.runner = Some(session.spawn().expect("setsid(1) is installed"));
    }

    /// Waits until this has happened.
    #[track_caller]
    pub(crate) fn when(&self, happened: impl Fn() -> bool) {
        until(happened, "what is waited for does not happen");
    }

    /// Somebody types this.
    pub(crate) fn is_typed(&mut self, keys: &str) {
        self.before.write_all(keys.as_bytes()).expect("a terminal can be written to");
    }

    /// Reads until it shows these words.
    pub(crate) fn shows(&mut self, words: &str) {
        while !self.text().contains(words) {
            assert!(self.read() > 0, "it ended before it showed {words:?}: {}", self.text());
        }
    }

    /// Reads all that it shows until the runner has ended.
    pub(crate) fn end(&mut self) -> Ended {
        let mut runner = self.runner.take().expect("it runs something");
        let mark = "the terminal is read up to here";
        let ended = std::thread::scope(|scope| {
            let behind = &self.behind;
            // Whoever writes waits for who reads.
            let waiting = scope.spawn(move || {
                let code = runner.wait().expect("the runner ends").code();
                let mut behind = File::from(behind.try_clone().expect("a descriptor can be copied"));
                behind.write_all(mark.as_bytes()).expect("a terminal can be written to");
                code
            });
            let (mut text, mut piece) = (std::mem::take(&mut self.shown), [0; 4096]);
            while !String::from_utf8_lossy(&text).contains(mark) {
                readable(&self.before, &text);
                let length = self.before.read(&mut piece).expect("a terminal can be read");
                text.extend_from_slice(&piece[..length]);
            }
            (waiting.join().expect("waiting does not panic"), text)
        });
        Ended { code: ended.0, out: String::new(), err: String::from_utf8_lossy(&ended.1).replace("\r", "") }
    }

    /// Echo, line by line or key by key, and so on.
    pub(crate) fn attributes(&self) -> Termios {
        tcgetattr(&self.behind).expect("it is a terminal")
    }

    fn read(&mut self) -> usize {
        readable(&self.before, &self.shown);
        let mut piece = [0; 4096];
        let length = self.before.read(&mut piece).expect("a terminal can be read");
        self.shown.extend_from_slice(&piece[..length]);
        length
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}
