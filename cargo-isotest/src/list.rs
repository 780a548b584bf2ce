//! Starts a fork server for each binary and asks it for its tests.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::Arc;

use isotest::Spec;
use isotest::runner::{Client, Started};

use crate::cli::{Run, RunIgnored};
use crate::compile::Binary;
use crate::{Problem, exit_code::Code};

/// What was found.
pub(crate) struct Listed<'a> {
    /// Every binary with how its tests are run.
    pub(crate) binaries: Vec<Ready<'a>>,
    /// The tests to run.
    pub(crate) tests: Vec<Test>,
    /// How many were left out.
    pub(crate) skipped: usize,
}

/// A binary that is ready to run tests.
pub(crate) struct Ready<'a> {
    /// Which.
    pub(crate) binary: &'a Binary,
    /// Its fork server, or ours where it has none.
    pub(crate) server: Arc<Client>,
    /// Whether the server is ours, so that tests are programs to execute.
    pub(crate) exec: bool,
}

/// One test.
pub(crate) struct Test {
    /// Its place in [`Listed::binaries`].
    pub(crate) binary: usize,
    /// Its path in the binary.
    pub(crate) name: String,
    /// What it asks for.
    pub(crate) spec: Spec,
}

/// The arguments with which libtest lists; as many as a test process takes.
const LIST: [&str; 5] = ["--list", "--format", "terse", "--nocapture", "--include-ignored"];
const LIST_IGNORED: [&str; 5] = ["--list", "--format", "terse", "--nocapture", "--ignored"];

/// Lists all binaries.
pub(crate) fn tests<'a>(binaries: &'a [Binary], options: &Run) -> Result<Listed<'a>, Problem> {
    let mut listed = Listed { binaries: Vec::new(), tests: Vec::new(), skipped: 0 };
    let mut ours = None;
    for binary in binaries {
        let failed = |error: io::Error| Problem {
            message: format!("cannot list the tests of {} ({}): {error}", binary.id, binary.executable.display()),
            code: Code::ListFailed,
        };
        let (ready, names, ignored, specs) = open(binary, &mut ours).map_err(failed)?;
        for name in names {
            if selected(&name, ignored.contains(&name), options) {
                let mut spec: Spec = specs.get(&name).cloned().unwrap_or_default();
                spec.timeout = spec.timeout.or(options.timeout);
                listed.tests.push(Test { binary: listed.binaries.len(), name, spec });
            } else {
                listed.skipped += 1;
            }
        }
        listed.binaries.push(ready);
    }
    Ok(listed)
}

type Opened<'a> = (Ready<'a>, Vec<String>, Vec<String>, HashMap<String, Spec>);

fn open<'a>(binary: &'a Binary, ours: &mut Option<Arc<Client>>) -> io::Result<Opened<'a>> {
    let (mut reader, writer) = io::pipe()?;
    let mut command = command(binary, &LIST);
    command.stdout(Stdio::from(OwnedFd::from(writer))).stderr(Stdio::inherit());
    let mut text = String::new();
    match Client::start(command)? {
        Started::Server(client) => {
            drop(reader);
            let names = ask(|out| client.list(LIST, out))?;
            let ignored = ask(|out| client.list(LIST_IGNORED, out))?;
            let mut specs = HashMap::new();
            for line in ask(|out| client.registry(out))?.lines() {
                let (path, spec): (String, Spec) = serde_json::from_str(line)?;
                let name = path.split_once("::").map_or(path.as_str(), |(_crate, name)| name).to_owned();
                specs.insert(name, spec);
            }
            let ready = Ready { binary, server: Arc::new(client), exec: false };
            Ok((ready, test_names(&names), test_names(&ignored), specs))
        }
        Started::Ordinary(mut child) => {
            reader.read_to_string(&mut text)?;
            child.wait()?;
            let ignored = self::command(binary, &LIST_IGNORED).stdin(Stdio::null()).output()?;
            let ignored = String::from_utf8_lossy(&ignored.stdout).into_owned();
            let server = match ours {
                Some(server) => Arc::clone(server),
                None => Arc::clone(ours.insert(Arc::new(own_server()?))),
            };
            let ready = Ready { binary, server, exec: true };
            Ok((ready, test_names(&text), test_names(&ignored), HashMap::new()))
        }
    }
}

/// A fork server of this program, for binaries that have no door.
fn own_server() -> io::Result<Client> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(Client::placeholder_arguments()).stdout(Stdio::null()).stderr(Stdio::inherit());
    match Client::start(command)? {
        Started::Server(client) => Ok(client),
        Started::Ordinary(_) => Err(io::Error::other("cargo-isotest was built without its door")),
    }
}

fn command(binary: &Binary, arguments: &[&str]) -> Command {
    let mut command = Command::new(&binary.executable);
    command.args(arguments).current_dir(&binary.directory).envs(binary.environment.iter().cloned());
    command
}

fn ask(request: impl FnOnce(&OwnedFd) -> io::Result<()>) -> io::Result<String> {
    let (reader, writer) = io::pipe()?;
    request(&OwnedFd::from(writer))?;
    let mut text = String::new();
    File::from(OwnedFd::from(reader)).read_to_string(&mut text)?;
    Ok(text)
}

fn test_names(list: &str) -> Vec<String> {
    list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
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
