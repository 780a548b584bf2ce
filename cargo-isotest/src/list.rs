//! Starts a fork server for each binary and asks it for its tests.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::rc::Rc;

use isotest::Spec;
use isotest::runner::{Client, Known, Started};

use crate::binary::{self, Ready, Server, pipe};
use crate::cli::{Run, RunIgnored};
use crate::compile::Binary;
use crate::interrupt::Interrupt;
use crate::{Problem, exit_code::Code};

/// What was found.
pub(crate) struct Listed<'a> {
    /// Every binary with how its tests are run.
    pub(crate) binaries: Vec<Ready<'a>>,
    /// The tests to run.
    pub(crate) tests: Vec<Test>,
    /// Those that were left out.
    pub(crate) skipped: Vec<Test>,
}

/// One test.
pub(crate) struct Test {
    /// Its place in [`Listed::binaries`].
    pub(crate) binary: usize,
    /// Its path in the binary.
    pub(crate) name: String,
    /// What it asks for.
    pub(crate) spec: Spec,
    /// Whether it is an `#[isotest]` function.
    pub(crate) wrapped: bool,
    /// Where an `#[isotest]` function is to panic: what the message must contain.
    pub(crate) should_panic: Option<String>,
}

/// The arguments with which libtest lists; as many as a test process takes.
const LIST: [&str; 5] = ["--list", "--format", "terse", "--nocapture", "--include-ignored"];
const LIST_IGNORED: [&str; 5] = ["--list", "--format", "terse", "--nocapture", "--ignored"];

/// Lists all binaries.
pub(crate) fn tests<'a>(binaries: &'a [Binary], options: &Run, interrupt: &Interrupt) -> Result<Listed<'a>, Problem> {
    let mut listed = Listed { binaries: Vec::new(), tests: Vec::new(), skipped: Vec::new() };
    let mut lister = Lister { interrupt, ours: None };
    for binary in binaries {
        let (server, mut found) = lister.open(binary)?;
        for name in found.names {
            let chosen = selected(&name, found.ignored.contains(&name), options);
            let known = found.known.remove(&name);
            let wrapped = known.is_some();
            let (mut spec, should_panic) =
                known.map_or_else(Default::default, |known| (known.spec, known.should_panic));
            spec.timeout = spec.timeout.or(options.timeout);
            let test = Test { binary: listed.binaries.len(), name, spec, wrapped, should_panic };
            if chosen { listed.tests.push(test) } else { listed.skipped.push(test) }
        }
        listed.binaries.push(Ready::new(binary, server));
    }
    Ok(listed)
}

/// The tests of one binary.
struct Found {
    names: Vec<String>,
    ignored: HashSet<String>,
    known: HashMap<String, Known>,
}

struct Lister<'i> {
    interrupt: &'i Interrupt,
    ours: Option<Rc<Client>>,
}

impl Lister<'_> {
    fn open(&mut self, binary: &Binary) -> Result<(Server, Found), Problem> {
        let failed = problem(binary);
        let (reader, writer) = pipe().map_err(&failed)?;
        match binary::start(binary, &LIST, Stdio::from(writer)).map_err(&failed)? {
            Started::Server(client) => {
                drop(reader);
                self.ask_server(binary, client)
            }
            Started::Ordinary(mut child) => {
                let names = self.read(binary, reader);
                if names.is_err() {
                    child.kill().map_err(&failed)?;
                }
                let ended = child.wait().map_err(&failed)?;
                let names = names?;
                if !ended.success() {
                    return Err(failed(io::Error::other(format!("it answered --list with {ended}"))));
                }
                let ignored = self.ask_main(binary, &LIST_IGNORED)?;
                let server = match &self.ours {
                    Some(server) => Rc::clone(server),
                    None => Rc::clone(self.ours.insert(Rc::new(binary::own_server().map_err(&failed)?))),
                };
                let found = Found { names: test_names(&names), ignored: test_names(&ignored), known: HashMap::new() };
                Ok((Server::Ours(server), found))
            }
        }
    }

    fn ask_server(&self, binary: &Binary, client: Client) -> Result<(Server, Found), Problem> {
        let ask = |arguments: [&str; 5]| {
            if client.can_return() {
                self.ask(binary, |out| client.list(arguments, out))
            } else {
                self.ask_main(binary, &arguments)
            }
        };
        let (names, ignored) = (ask(LIST)?, ask(LIST_IGNORED)?);
        let registry = self.ask(binary, |out| client.registry(out))?;
        let known: serde_json::Result<Vec<Known>> = registry.lines().map(serde_json::from_str).collect();
        let known = known.map_err(|error| problem(binary)(error.into()))?.into_iter();
        let known = known.map(|known| (known.name.clone(), known)).collect();
        let found = Found { names: test_names(&names), ignored: test_names(&ignored), known };
        Ok((Server::Own(Rc::new(client)), found))
    }

    fn ask(&self, binary: &Binary, request: impl FnOnce(&OwnedFd) -> io::Result<()>) -> Result<String, Problem> {
        let (reader, writer) = pipe().map_err(problem(binary))?;
        request(&writer).map_err(problem(binary))?;
        drop(writer);
        self.read(binary, reader)
    }

    fn ask_main(&self, binary: &Binary, arguments: &[&str]) -> Result<String, Problem> {
        let (reader, writer) = pipe().map_err(problem(binary))?;
        let mut command = binary::command(binary, arguments);
        command.stdin(Stdio::null()).stdout(Stdio::from(writer));
        let mut child = command.spawn().map_err(problem(binary))?;
        drop(command); // It holds the writing end.
        let text = self.read(binary, reader);
        child.kill().and_then(|()| child.wait()).map_err(problem(binary))?;
        text
    }

    fn read(&self, binary: &Binary, reader: OwnedFd) -> Result<String, Problem> {
        let bytes = self.interrupt.read_to_end(File::from(reader), &format!("listing the tests of {}", binary.id))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn problem(binary: &Binary) -> impl Fn(io::Error) -> Problem + '_ {
    |error| Problem {
        message: format!("cannot list the tests of {} ({}): {error}", binary.id, binary.executable.display()),
        code: Code::ListFailed,
    }
}

/// Each once, though an attribute on top of `#[test]` may have entered a function twice.
fn test_names<Names: FromIterator<String>>(list: &str) -> Names {
    let mut seen = HashSet::new();
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    names.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
}

fn selected(name: &str, ignored: bool, options: &Run) -> bool {
    let matches = |pattern: &String| if options.exact { name == pattern } else { name.contains(pattern.as_str()) };
    let wanted = match options.run_ignored {
        RunIgnored::Default => !ignored,
        RunIgnored::Only => ignored,
        RunIgnored::All => true,
    };
    wanted && (options.filters.is_empty() || options.filters.iter().any(matches)) && !options.skip.iter().any(matches)
}
