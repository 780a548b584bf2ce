//! One test binary and its fork server, which is started again when somebody has killed it.

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
    Own(Rc<Client>),
    /// This program's server, because the binary has no door: its tests are executed.
    Ours(Rc<Client>),
}

/// A binary that is ready to run tests.
pub(crate) struct Ready<'a> {
    /// Which.
    pub(crate) binary: &'a Binary,
    /// Paths that its tests need although a private directory may hide them.
    pub(crate) keep: Vec<PathBuf>,
    server: RefCell<Server>,
    /// Whoever looks at its tests: what starts them.
    watcher: Option<Runner>,
}

impl<'a> Ready<'a> {
    /// With this server to begin with.
    pub(crate) fn new(binary: &'a Binary, server: Server) -> Ready<'a> {
        Ready { binary, keep: kept(binary), server: RefCell::new(server), watcher: None }
    }

    /// From here on its tests are started by this program.
    pub(crate) fn watched_by(&mut self, watcher: Runner) {
        self.watcher = Some(watcher);
    }

    /// The server, a new one if the old one is gone.
    pub(crate) fn server(&self) -> io::Result<Rc<Client>> {
        let mut server = self.server.borrow_mut();
        let (Server::Own(client) | Server::Ours(client)) = &*server;
        if client.is_alive() {
            return Ok(Rc::clone(client));
        }
        let (client, new) = match &*server {
            Server::Own(_) => match start(self.binary, &Client::placeholder_arguments(), Stdio::null())? {
                Started::Server(client) => shared(client, Server::Own),
                Started::Ordinary(child) => return Err(no_door(child)?),
            },
            Server::Ours(_) => shared(own_server()?, Server::Ours),
        };
        *server = new;
        Ok(client)
    }

    /// What a test process becomes.
    pub(crate) fn target(&self, test: &Test, client: &Client) -> Target {
        let own = matches!(*self.server.borrow(), Server::Own(_));
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

fn shared(client: Client, who: fn(Rc<Client>) -> Server) -> (Rc<Client>, Server) {
    let client = Rc::new(client);
    (Rc::clone(&client), who(client))
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
