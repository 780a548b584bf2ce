//! One test binary and its fork server, which is started when it is needed, and again when somebody has killed it.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use isotest::runner::{Client, Program, Started, Target, harness_arguments};

use crate::compile::{Binary, Runner};
use crate::list::{Harness, Test};

/// Who runs a binary's tests.
pub(crate) enum Server {
    /// The binary itself: its tests return into its own `main`, or are executed afresh where they can't.
    Own(Slot),
    /// This program's server, the same for all binaries that have no door: their tests are executed.
    Ours(Rc<Slot>),
}

/// A fork server that is started when it is needed, and again when somebody has killed it.
pub(crate) struct Slot(RefCell<Option<Rc<Client>>>);

impl Slot {
    /// With this one to begin with.
    pub(crate) fn with(server: Option<Client>) -> Slot {
        Slot(RefCell::new(server.map(Rc::new)))
    }

    fn get(&self, start: impl FnOnce() -> io::Result<Client>) -> io::Result<Rc<Client>> {
        let mut server = self.0.borrow_mut();
        if let Some(running) = server.as_ref().filter(|server| server.is_alive()) {
            return Ok(Rc::clone(running));
        }
        Ok(Rc::clone(server.insert(Rc::new(start()?))))
    }
}

/// A binary that is ready to run tests.
pub(crate) struct Ready<'a> {
    /// Which.
    pub(crate) binary: &'a Binary,
    /// Paths that its tests need although a private directory may hide them.
    pub(crate) keep: Vec<PathBuf>,
    server: Server,
    /// Whoever looks at its tests: what starts them.
    watcher: Option<Runner>,
}

impl<'a> Ready<'a> {
    /// With this server to begin with.
    pub(crate) fn new(binary: &'a Binary, server: Server) -> Ready<'a> {
        Ready { binary, keep: kept(binary), server, watcher: None }
    }

    /// From here on its tests are started by this program.
    pub(crate) fn watched_by(&mut self, watcher: Runner) {
        self.watcher = Some(watcher);
    }

    /// The server, a new one if there is none or the old one is gone.
    pub(crate) fn server(&self) -> io::Result<Rc<Client>> {
        match &self.server {
            Server::Own(slot) => slot.get(|| server_of(self.binary)),
            Server::Ours(slot) => slot.get(own_server),
        }
    }

    /// Whether it has one of its own, which was not started yet.
    pub(crate) fn wants_server(&self) -> bool {
        matches!(&self.server, Server::Own(slot) if slot.0.borrow().is_none())
    }

    /// It was started now.
    pub(crate) fn has_server(&self, client: Client) {
        if let Server::Own(slot) = &self.server {
            slot.0.replace(Some(Rc::new(client)));
        }
    }

    /// What a test process becomes.
    pub(crate) fn target(&self, test: &Test, client: &Client) -> Target {
        let own = matches!(self.server, Server::Own(_));
        let returns = own && self.watcher.is_none();
        if returns && client.can_return() && test.harness == Harness::Libtest {
            return if test.wrapped { Target::Body } else { Target::Harness };
        }
        let (mut program, mut arguments) = self.binary.command_line(&arguments(test));
        if let Some(watcher) = &self.watcher {
            (program, arguments) = watcher.command_line(&program, arguments);
        }
        Target::Exec(Program {
            program,
            arguments,
            environment: self.binary.environment.clone(),
            directory: self.binary.directory.clone(),
            wrapped: test.wrapped,
        })
    }
}

/// Paths that a binary needs although a private directory may hide them.
pub(crate) fn kept(binary: &Binary) -> Vec<PathBuf> {
    let mut keep = isotest::runner::of_a_test(Some(&binary.executable), Some(&binary.directory), None);
    if let Some(runner) = &binary.runner {
        let more = isotest::runner::of_a_test(Some(&runner.program), None, None);
        let more: Vec<PathBuf> = more.into_iter().filter(|path| !keep.contains(path)).collect();
        keep.extend(more);
    }
    keep
}

/// What a binary that is executed afresh is told.
fn arguments(test: &Test) -> Vec<&str> {
    match test.harness {
        Harness::Libtest => harness_arguments(&test.name).to_vec(),
        Harness::Conventional if test.ignored => vec![&test.name, "--exact", "--nocapture", "--ignored"],
        Harness::Conventional => vec![&test.name, "--exact", "--nocapture"],
        Harness::None => Vec::new(),
    }
}

fn no_door(mut child: Child) -> io::Result<io::Error> {
    child.kill()?;
    child.wait()?;
    Ok(io::Error::other("the binary was a fork server before, and is none any more: was it built anew meanwhile?"))
}

/// Starts the binary as a fork server; where it has no door, its `main` runs with these arguments and this output.
pub(crate) fn start(binary: &Binary, arguments: &[&str; 5], stdout: Stdio) -> io::Result<Started> {
    let (program, arguments) = binary.command_line(arguments);
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&binary.directory).envs(binary.environment.iter().cloned());
    command.stdout(stdout).stderr(Stdio::inherit());
    Client::start(command)
}

/// The binary as a fork server, which it has been before.
pub(crate) fn server_of(binary: &Binary) -> io::Result<Client> {
    match start(binary, &Client::placeholder_arguments(), Stdio::null())? {
        Started::Server(client) => Ok(client),
        Started::Ordinary(child) => Err(no_door(child)?),
    }
}

/// A fork server of this program, for binaries that have no door.
pub(crate) fn own_server() -> io::Result<Client> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(Client::placeholder_arguments()).stdout(Stdio::null()).stderr(Stdio::inherit());
    match Client::start(command)? {
        Started::Server(client) => Ok(client),
        Started::Ordinary(_) => Err(io::Error::other("cargo-isotest was built without its door")),
    }
}

/// Both ends of a pipe, the reading one first.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), writer.into()))
}
