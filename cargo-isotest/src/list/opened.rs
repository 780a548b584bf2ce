//! One binary that has been asked for its tests.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Instant;

use isotest::runner::{Client, Isolation, Known, Started};

use super::linked::is_linked;
use super::ours::{Manner, Ours, too_late};
use super::{Harness, Test, answers};
use crate::binary::{self, pipe};
use crate::compile::Binary;
use crate::config::TestSettings;
use crate::{Problem, exit_code::Code};

/// The arguments with which libtest, and who knows all its options, lists; as many as a test process takes.
const LIST: [&str; 5] = ["--list", "--format", "terse", "--nocapture", "--include-ignored"];
const LIST_IGNORED: [&str; 5] = ["--list", "--format", "terse", "--nocapture", "--ignored"];

/// Where the number of arguments is free: those that every harness knows which follows nextest's conventions.
const LIST_FREELY: [&str; 3] = ["--list", "--format", "terse"];
const LIST_IGNORED_FREELY: [&str; 4] = ["--list", "--format", "terse", "--ignored"];

/// What it said.
pub(super) struct Opened {
    /// Its fork server, if it has a door.
    pub(super) server: Option<Client>,
    /// Its tests.
    pub(super) found: Vec<Found>,
}

/// One of its tests.
pub(super) struct Found {
    name: String,
    ignored: bool,
    known: Option<Known>,
    harness: Harness,
}

impl Found {
    /// A test of the binary at this place, of which nobody has looked up the settings yet.
    pub(super) fn into_test(self, binary: usize, unsettled: &Rc<TestSettings>) -> Test {
        let wrapped = self.known.is_some();
        let (spec, should_panic, written) = self
            .known
            .map_or_else(Default::default, |known| (known.spec.unwrap_or_default(), known.should_panic, known.written));
        Test {
            binary,
            name: self.name,
            ignored: self.ignored,
            spec,
            wrapped,
            should_panic,
            written,
            isolation: Isolation::Required,
            harness: self.harness,
            settings: Rc::clone(unsettled),
            left_out: None,
        }
    }
}

impl Opened {
    /// Asks the binary: its fork server, or where it has none, its `main`.
    pub(super) fn open(binary: &Binary, manner: &Manner<'_>, ours: &Ours) -> Result<Opened, Problem> {
        let asking = Asking { binary, manner, ours };
        let failed = |error: io::Error| problem(binary, &error);
        let server = match is_linked(&binary.executable) {
            true => match binary::start(binary, &LIST, Stdio::null()).map_err(failed)? {
                Started::Server(client) => Some(client),
                // The library is there, but its door is not, or a program that runs the binary did not let us in: whatever
                // it does now is not wanted.
                Started::Ordinary(mut child) => {
                    child.kill().and_then(|()| child.wait()).map_err(failed)?;
                    None
                }
            },
            false => None,
        };
        let mut found = match &server {
            Some(client) => asking.server(client)?,
            None => asking.main()?,
        };
        // Whoever wants the binary to be run by another program wants that of each test.
        let server = server.filter(|_| binary.runner.is_none());
        if found.is_empty() && binary.has_harness_of_its_own() {
            found = asking.as_a_whole(); // It said nothing and has perhaps run all its tests: in a sandbox, unheard.
        }
        Ok(Opened { server, found })
    }
}

struct Asking<'a> {
    binary: &'a Binary,
    manner: &'a Manner<'a>,
    ours: &'a Ours,
}

impl Asking<'_> {
    fn server(&self, client: &Client) -> Result<Vec<Found>, Problem> {
        // All questions at once: each is answered by a process of its own. The server has to think about the last only.
        let lists = if client.can_return() && self.binary.runner.is_none() {
            Some((self.ask(|out| client.list(LIST, out))?, self.ask(|out| client.list(LIST_IGNORED, out))?))
        } else {
            None
        };
        let registry = self.ask(|out| client.registry(out))?;
        let listed = match lists {
            Some((all, ignored)) => {
                let (all, ignored) = (self.read(all)?, self.read(ignored)?);
                answers::names(&all).map(|all| self.found(all, answers::names(&ignored), Harness::Libtest))
            }
            None => None,
        };
        let mut found = match listed {
            Some(found) => found,
            None => self.main()?,
        };
        self.recognise(registry, &mut found)?;
        Ok(found)
    }

    /// Asks the binary's own `main`.
    fn main(&self) -> Result<Vec<Found>, Problem> {
        let all = self.ours.ask(self.manner, self.binary, &LIST_FREELY)?;
        let Some(names) = answers::names(&all.text).filter(|_| all.success) else { return Ok(self.as_a_whole()) };
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let ignored = self.ours.ask(self.manner, self.binary, &LIST_IGNORED_FREELY)?;
        Ok(self.found(names, answers::names(&ignored.text), Harness::Conventional))
    }

    /// Reads which of the tests are `#[isotest]` functions.
    fn recognise(&self, registry: OwnedFd, found: &mut [Found]) -> Result<(), Problem> {
        let registry = self.read(registry)?;
        let known: serde_json::Result<Vec<Known>> = registry.lines().map(Known::read).collect();
        let mut known = known.map_err(|error| problem(self.binary, &error))?;
        known.sort_unstable_by(|one, other| one.name.cmp(&other.name)); // As the server tells them; thousands are found sooner so.
        for test in found {
            let at = known.binary_search_by(|known| known.name.as_str().cmp(&test.name)).ok();
            test.known = at.map(|at| known[at].clone());
        }
        Ok(())
    }

    /// The tests that were named.
    fn found(&self, names: Vec<String>, ignored: Option<Vec<String>>, harness: Harness) -> Vec<Found> {
        let ignored: HashSet<String> = ignored.unwrap_or_default().into_iter().collect();
        let found = |name: String| {
            let ignored = ignored.contains(&name);
            Found { name, ignored, known: None, harness }
        };
        names.into_iter().map(found).collect()
    }

    /// Where no tests were named, the binary itself is one.
    fn as_a_whole(&self) -> Vec<Found> {
        vec![Found { name: self.binary.name.clone(), ignored: false, known: None, harness: Harness::None }]
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
