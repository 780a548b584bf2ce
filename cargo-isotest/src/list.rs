//! Which tests are there? Starts a fork server for each binary, several at once, and asks it.

mod answers;
mod linked;
mod opened;
mod ours;

use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use isotest::Spec;
use isotest::runner::{Client, Isolation};

use crate::binary::{Ready, Server};
use crate::choose::LeftOut;
use crate::compile::Binary;
use crate::config::{Layer, TestSettings};
use crate::{Problem, exit_code::Code};
use opened::Opened;
pub(crate) use ours::Manner;
use ours::Ours;

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
    /// Whether it is marked `#[ignore]`.
    pub(crate) ignored: bool,
    /// What it asks for.
    pub(crate) spec: Spec,
    /// Whether it is an `#[isotest]` function.
    pub(crate) wrapped: bool,
    /// Where an `#[isotest]` function is to panic: what the message must contain.
    pub(crate) should_panic: Option<String>,
    /// How its binary is told to run it.
    pub(crate) harness: Harness,
    /// Which arguments its attribute has.
    pub(crate) written: Vec<String>,
    /// Whether it is to have a sandbox.
    pub(crate) isolation: Isolation,
    /// How it is run and shown. Most tests of a suite share one.
    pub(crate) settings: Rc<TestSettings>,
    /// Why it is not run, if it is not.
    pub(crate) left_out: Option<LeftOut>,
}

/// What a binary understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harness {
    /// libtest's options.
    Libtest,
    /// `--list --format terse`, `NAME --exact --nocapture`, `--ignored`: what nextest asks of every harness.
    Conventional,
    /// Nothing: the whole binary is one test.
    None,
}

/// Lists all binaries, in their order; leaves nothing out.
pub(crate) fn tests<'a>(binaries: &'a [Binary], manner: &Manner<'_>) -> Result<Listed<'a>, Problem> {
    let ours = Ours::default();
    let opened = open_all(binaries, manner, &ours)?;
    let mut listed = Listed { binaries: Vec::new(), tests: Vec::new(), skipped: Vec::new() };
    let mut ours = (Some(ours), None);
    let unsettled = Rc::new(Layer::default().settled());
    for (at, opened) in opened.into_iter().enumerate() {
        let binary = &binaries[at];
        let server = match opened.server {
            Some(client) => Server::Own(Rc::new(client)),
            None => Server::Ours(shared(&mut ours).map_err(|error| opened::problem(binary, &error))?),
        };
        listed.binaries.push(Ready::new(binary, server));
        listed.tests.extend(opened.found.into_iter().map(|found| found.into_test(at, &unsettled)));
    }
    Ok(listed)
}

/// Our own server, the same for all binaries that have none.
fn shared((ours, client): &mut (Option<Ours>, Option<Rc<Client>>)) -> io::Result<Rc<Client>> {
    if let Some(ours) = ours.take() {
        *client = Some(Rc::new(ours.into_server()?));
    }
    client.clone().ok_or_else(|| io::Error::other("this program's own fork server is gone"))
}

/// Asks several at once: most of the time that it takes is the binaries' own.
fn open_all(binaries: &[Binary], manner: &Manner<'_>, ours: &Ours) -> Result<Vec<Opened>, Problem> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(binaries.len());
    if workers <= 1 {
        return binaries.iter().map(|binary| Opened::open(binary, manner, ours)).collect();
    }
    let next = AtomicUsize::new(0);
    let (sender, answers) = mpsc::channel();
    let mut opened: Vec<Option<Opened>> = binaries.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((at, binary)) = take(next, binaries) {
                    let answer = Opened::open(binary, manner, ours);
                    if sender.send((at, answer)).is_err() {
                        return; // Another binary could not be asked, and nobody listens any more.
                    }
                }
            });
        }
        drop(sender);
        for (at, answer) in answers {
            opened[at] = Some(answer?);
        }
        Ok(())
    })?;
    let missing = || Problem { message: "a binary was not asked for its tests".to_owned(), code: Code::ListFailed };
    opened.into_iter().map(|opened| opened.ok_or_else(missing)).collect()
}

fn take<'b>(next: &AtomicUsize, binaries: &'b [Binary]) -> Option<(usize, &'b Binary)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    binaries.get(at).map(|binary| (at, binary))
}
