//! What does a binary say of its tests? Its fork server is asked, or where it has none, its `main`.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Instant;

use isotest::runner::{Client, Started};

use super::linked::is_linked;
use super::ours::{Manner, Ours, too_late};
use super::{Harness, answers};
use crate::binary::{self, pipe};
use crate::compile::Binary;
use crate::{Problem, exit_code::Code};

/// The arguments with which libtest, and who knows all its options, lists; as many as a test process takes.
const LIST: [&str; 5] = ["--list", "--format", "terse", "--nocapture", "--include-ignored"];
const LIST_IGNORED: [&str; 5] = ["--list", "--format", "terse", "--nocapture", "--ignored"];

/// Where the number of arguments is free: those that every harness knows which follows nextest's conventions.
const LIST_FREELY: [&str; 3] = ["--list", "--format", "terse"];
const LIST_IGNORED_FREELY: [&str; 4] = ["--list", "--format", "terse", "--ignored"];

/// What it said, as it said it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// Whether it is a fork server that runs its tests.
    pub(super) has_door: bool,
    /// What it understands.
    pub(super) harness: Harness,
    /// Its tests, as [`answers::names`] reads them.
    pub(super) all: String,
    /// Those among them that are marked `#[ignore]`.
    pub(super) ignored: String,
    /// Its `#[isotest]` functions, a [`Known`](isotest::runner::Known) a line.
    pub(super) registry: String,
}

/// Asks it; gives also its fork server, if it has one and was asked by it.
pub(super) fn ask(binary: &Binary, manner: &Manner<'_>, ours: &Ours) -> Result<(Heard, Option<Client>), Problem> {
    let asking = Asking { binary, manner, ours };
    let Some(server) = asking.start()? else {
        let (harness, all, ignored) = asking.main()?;
        return Ok((Heard { has_door: false, harness, all, ignored, registry: String::new() }, None));
    };
    let ((harness, all, ignored), registry) = asking.server(&server)?;
    // Whoever wants the binary to be run by another program wants that of each test.
    let server = Some(server).filter(|_| binary.runner.is_none());
    Ok((Heard { has_door: server.is_some(), harness, all, ignored, registry }, server))
}

struct Asking<'a> {
    binary: &'a Binary,
    manner: &'a Manner<'a>,
    ours: &'a Ours,
}

/// What lists its tests, and those that are ignored.
type Lists = (Harness, String, String);

impl Asking<'_> {
    /// Its fork server, if it has a door.
    fn start(&self) -> Result<Option<Client>, Problem> {
        let failed = |error: io::Error| problem(self.binary, &error);
        if !is_linked(&self.binary.executable) {
            return Ok(None);
        }
        match binary::start(self.binary, &LIST, Stdio::null()).map_err(failed)? {
            Started::Server(client) => Ok(Some(client)),
            // The library is there, but its door is not, or a program that runs the binary did not let us in: whatever
            // it does now is not wanted.
            Started::Ordinary(mut child) => {
                child.kill().and_then(|()| child.wait()).map_err(failed)?;
                Ok(None)
            }
        }
    }

    /// Its lists, and its registry.
    fn server(&self, client: &Client) -> Result<(Lists, String), Problem> {
        // All questions at once: each is answered by a process of its own. The server has to think about the last only.
        let lists = if client.can_return() && self.binary.runner.is_none() {
            Some((self.ask(|out| client.list(LIST, out))?, self.ask(|out| client.list(LIST_IGNORED, out))?))
        } else {
            None
        };
        let registry = self.ask(|out| client.registry(out))?;
        let lists = match lists {
            Some((all, ignored)) => {
                let (all, ignored) = (self.read(all)?, self.read(ignored)?);
                answers::names(&all).is_some().then_some((Harness::Libtest, all, ignored))
            }
            None => None,
        };
        let lists = lists.map_or_else(|| self.main(), Ok)?;
        Ok((lists, self.read(registry)?))
    }

    /// Asks the binary's own `main`.
    fn main(&self) -> Result<Lists, Problem> {
        let all = self.ours.ask(self.manner, self.binary, &LIST_FREELY)?;
        let Some(names) = answers::names(&all.text).filter(|_| all.success) else {
            return Ok((Harness::None, String::new(), String::new()));
        };
        if names.is_empty() {
            return Ok((Harness::Conventional, String::new(), String::new()));
        }
        let ignored = self.ours.ask(self.manner, self.binary, &LIST_IGNORED_FREELY)?;
        Ok((Harness::Conventional, all.text, ignored.text))
    }

    /// Where the answer will be read.
    fn ask(&self, request: impl FnOnce(&OwnedFd) -> io::Result<()>) -> Result<OwnedFd, Problem> {
        let (reader, writer) = pipe().map_err(|error| problem(self.binary, &error))?;
        request(&writer).map_err(|error| problem(self.binary, &error))?;
        Ok(reader)
    }

    fn read(&self, reader: OwnedFd) -> Result<String, Problem> {
        let doing = format!("listing the tests of {}", self.binary.id);
        let until = Instant::now().checked_add(self.manner.patience);
        let bytes = self.manner.interrupt.read_until(File::from(reader), answers::KEPT, until, &doing)?;
        let bytes = bytes.ok_or_else(|| too_late(self.binary, self.manner.patience))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// This binary could not be asked.
pub(super) fn problem(binary: &Binary, why: &impl Display) -> Problem {
    Problem {
        message: format!("cannot list the tests of {} ({}): {why}", binary.id, binary.executable.display()),
        code: Code::ListFailed,
    }
}
