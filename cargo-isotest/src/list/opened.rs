//! One binary that has been asked for its tests.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};

use isotest::runner::{Client, Isolation, Known, Started};

use super::{Harness, Test, answers};
use crate::binary::{self, pipe};
use crate::compile::Binary;
use crate::config::Layer;
use crate::interrupt::Interrupt;
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
    /// A test of the binary at this place.
    pub(super) fn into_test(self, binary: usize) -> Test {
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
            settings: Layer::default().settled(),
            left_out: None,
        }
    }
}

impl Opened {
    /// Starts the binary and asks it.
    pub(super) fn open(binary: &Binary, interrupt: &Interrupt) -> Result<Opened, Problem> {
        let asking = Asking { binary, interrupt };
        let failed = |error: io::Error| problem(binary, &error);
        let (reader, writer) = pipe().map_err(failed)?;
        match binary::start(binary, &LIST, Stdio::from(writer)).map_err(failed)? {
            Started::Server(client) => {
                drop(reader);
                asking.server(client)
            }
            Started::Ordinary(mut child) => {
                let answer = asking.read(reader);
                if answer.is_err() {
                    child.kill().map_err(failed)?;
                }
                let ended = child.wait().map_err(failed)?;
                let names = answers::names(&answer?).filter(|_| ended.success());
                Ok(Opened { server: None, found: asking.without_a_server(names)? })
            }
        }
    }
}

struct Asking<'a> {
    binary: &'a Binary,
    interrupt: &'a Interrupt,
}

impl Asking<'_> {
    fn server(&self, client: Client) -> Result<Opened, Problem> {
        let (mut found, registry) = if client.can_return() {
            // All questions at once: each is answered by a process of its own.
            let all = self.ask(|out| client.list(LIST, out))?;
            let ignored = self.ask(|out| client.list(LIST_IGNORED, out))?;
            let registry = self.ask(|out| client.registry(out))?;
            let (all, ignored) = (self.read(all)?, self.read(ignored)?);
            (self.found(answers::names(&all), answers::names(&ignored), Harness::Libtest), registry)
        } else {
            let (all, ended) = self.ask_main(&LIST)?;
            let found = self.without_a_server(answers::names(&all).filter(|_| ended.success()))?;
            (found, self.ask(|out| client.registry(out))?)
        };
        self.recognise(registry, &mut found)?;
        Ok(Opened { server: Some(client), found })
    }

    /// Goes on asking the binary's own `main`, which has answered [`LIST`] with these names, if it has understood that.
    fn without_a_server(&self, names: Option<Vec<String>>) -> Result<Vec<Found>, Problem> {
        if names.is_some() {
            let (ignored, _) = self.ask_main(&LIST_IGNORED)?;
            return Ok(self.found(names, answers::names(&ignored), Harness::Libtest));
        }
        let (all, ended) = self.ask_main(&LIST_FREELY)?;
        let names = answers::names(&all).filter(|_| ended.success());
        let ignored = if names.is_some() { self.ask_main(&LIST_IGNORED_FREELY)?.0 } else { String::new() };
        Ok(self.found(names, answers::names(&ignored), Harness::Conventional))
    }

    /// Reads which of the tests are `#[isotest]` functions.
    fn recognise(&self, registry: OwnedFd, found: &mut [Found]) -> Result<(), Problem> {
        let registry = self.read(registry)?;
        let known: serde_json::Result<Vec<Known>> = registry.lines().map(serde_json::from_str).collect();
        let known = known.map_err(|error| problem(self.binary, &error.into()))?.into_iter();
        let mut known: HashMap<_, _> = known.map(|known| (known.name.clone(), known)).collect();
        for test in found {
            test.known = known.remove(&test.name);
        }
        Ok(())
    }

    /// The tests that were named; where nothing was, the binary itself is the test.
    fn found(&self, names: Option<Vec<String>>, ignored: Option<Vec<String>>, harness: Harness) -> Vec<Found> {
        let Some(names) = names else {
            let name = self.binary.name.clone();
            return vec![Found { name, ignored: false, known: None, harness: Harness::None }];
        };
        let ignored: HashSet<String> = ignored.unwrap_or_default().into_iter().collect();
        let found = |name: String| {
            let ignored = ignored.contains(&name);
            Found { name, ignored, known: None, harness }
        };
        names.into_iter().map(found).collect()
    }

    /// Where the answer will be read.
    fn ask(&self, request: impl FnOnce(&OwnedFd) -> io::Result<()>) -> Result<OwnedFd, Problem> {
        let (reader, writer) = pipe().map_err(|error| problem(self.binary, &error))?;
        request(&writer).map_err(|error| problem(self.binary, &error))?;
        Ok(reader)
    }

    fn ask_main(&self, arguments: &[&str]) -> Result<(String, ExitStatus), Problem> {
        let failed = |error: io::Error| problem(self.binary, &error);
        let (reader, writer) = pipe().map_err(failed)?;
        let mut command = binary::command(self.binary, arguments);
        command.stdin(Stdio::null()).stdout(Stdio::from(writer));
        let mut child = command.spawn().map_err(failed)?;
        drop(command); // It holds the writing end.
        let text = self.read(reader);
        if text.is_err() {
            child.kill().map_err(failed)?;
        }
        let ended = child.wait().map_err(failed)?;
        Ok((text?, ended))
    }

    fn read(&self, reader: OwnedFd) -> Result<String, Problem> {
        let doing = format!("listing the tests of {}", self.binary.id);
        let bytes = self.interrupt.read_to_end(File::from(reader), &doing)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// This binary could not be asked.
pub(super) fn problem(binary: &Binary, error: &io::Error) -> Problem {
    Problem {
        message: format!("cannot list the tests of {} ({}): {error}", binary.id, binary.executable.display()),
        code: Code::ListFailed,
    }
}
