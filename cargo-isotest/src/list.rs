//! Which tests are there? Each binary is asked, several at once, unless it is known from before.

mod answers;
mod heard;
mod kept;
mod linked;
mod opened;
mod ours;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use isotest::Spec;
use isotest::runner::Isolation;
use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::binary::{self, Ready, Server, Slot};
use crate::choose::LeftOut;
use crate::compile::Binary;
use crate::config::{Layer, TestSettings};
pub(crate) use kept::Kept;
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
    /// What it asks for. Most tests of a suite share one.
    pub(crate) spec: Rc<Spec>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    let opened = on_several(binaries, |binary| Opened::open(binary, manner, &ours))?;
    let ours = Rc::new(Slot::with(ours.into_server()));
    let mut listed = Listed { binaries: Vec::new(), tests: Vec::new(), skipped: Vec::new() };
    let (unsettled, asks_for_nothing) = (Rc::new(Layer::default().settled()), Rc::default());
    for (at, opened) in opened.into_iter().enumerate() {
        let server = match opened.has_door {
            true => Server::Own(Slot::with(opened.server)),
            false => Server::Ours(Rc::clone(&ours)),
        };
        listed.binaries.push(Ready::new(&binaries[at], server));
        listed.tests.reserve(opened.found.len());
        listed.tests.extend(opened.found.into_iter().map(|found| found.into_test(at, &unsettled, &asks_for_nothing)));
    }
    Ok(listed)
}

/// Starts the fork servers of the binaries whose tests are to run, as far as none runs yet. Where one can't be started, each of its tests
/// will tell.
pub(crate) fn start_servers(listed: &Listed<'_>) {
    let mut wanted: BTreeSet<usize> = listed.tests.iter().map(|test| test.binary).collect();
    wanted.retain(|at| listed.binaries[*at].wants_server());
    let binaries: Vec<&Binary> = wanted.iter().map(|at| listed.binaries[*at].binary).collect();
    let started = on_several(&binaries, |binary| Ok::<_, Infallible>(binary::server_of(binary).ok()));
    for (at, server) in wanted.into_iter().zip(started.into_iter().flatten()) {
        if let Some(server) = server {
            listed.binaries[at].has_server(server);
        }
    }
}

/// Does something with each, several at once: most of the time that it takes is the binaries' own.
fn on_several<I: Sync, T: Send, E: Send>(all: &[I], act: impl Fn(&I) -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(all.len());
    if workers <= 1 {
        return all.iter().map(act).collect();
    }
    let next = AtomicUsize::new(0);
    let (sender, answers) = mpsc::channel();
    let mut done = std::thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, act) = (sender.clone(), &next, &act);
            scope.spawn(move || {
                while let Some((at, it)) = take(next, all) {
                    if sender.send(act(it).map(|done| (at, done))).is_err() {
                        return; // Another has failed, and nobody listens any more.
                    }
                }
            });
        }
        drop(sender);
        answers.into_iter().collect::<Result<Vec<_>, E>>()
    })?;
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, done)| done).collect())
}

fn take<'b, I>(next: &AtomicUsize, all: &'b [I]) -> Option<(usize, &'b I)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    all.get(at).map(|it| (at, it))
}
