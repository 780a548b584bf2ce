//! The fork server: a single-threaded copy of the test binary, stopped before `main`, that makes a sandbox per test.
//!
//! It does as little as it can, because every test inherits what it did. When the client hangs up it exits, and
//! every init dies with it.

use std::cell::OnceCell;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::socket::{self, AddressFamily, MsgFlags, SockFlag, SockType, socketpair};
use nix::unistd::ForkResult;

use crate::Spec;
use crate::host::Facts;
use crate::init::{self, Sandbox};
use crate::outcome::{End, Failure, Stage};
use crate::plan::{self, Plan};
use crate::protocol::{self, Hello, Isolation, Request, Run, Target, receive, send};
use crate::report::Report;
use crate::setup::{Detached, carry_out};
use crate::sys;
use crate::sys::door::Arguments;
use crate::sys::process::{self, SingleThreaded, exit_now};
use crate::test_process::{Ties, become_test};

/// Serves requests until the client hangs up. Returns only in a process that is to go on into `main`.
pub(crate) fn serve(arguments: Arguments) {
    let mut server = match start() {
        Ok(server) => server,
        Err(_) => exit_now(1), // There is no one to tell: the socket is what failed.
    };
    loop {
        match receive::<Request>(server.socket.as_fd()) {
            Ok(Some((request, descriptors))) => {
                if server.answer(request, descriptors, &arguments) == Role::Main {
                    std::mem::forget(server); // Its descriptors are closed already, with all others.
                    return;
                }
            }
            Ok(None) | Err(_) => exit_now(0),
        }
    }
}

/// Which process we are after a request was answered.
#[derive(PartialEq, Eq)]
enum Role {
    Server,
    Main,
}

struct Server {
    socket: OwnedFd,
    alive: OwnedFd,
    facts: Facts,
    tests: OnceCell<Vec<(&'static str, &'static sys::registry::Registered)>>,
    latest: Option<(Spec, Vec<PathBuf>, Rc<Plan>)>,
    proof: SingleThreaded,
}

fn start() -> nix::Result<Server> {
    let socket = process::inherited(0)?;
    let null = std::fs::File::open("/dev/null").map_err(|_| Errno::ENOENT)?;
    process::redirect(null.as_fd(), 0)?;
    let (proof, threads) = match SingleThreaded::check() {
        Ok(proof) => (proof, 1),
        // A runtime that starts threads before anything else, such as ThreadSanitizer's. The copy has one thread, but
        // perhaps locks that nobody holds any more: the client sees the number and has its tests executed afresh.
        Err(threads) => (SingleThreaded::by_leaving_the_others()?, threads),
    };
    sys::env::remove(&proof, sys::door::SERVER);
    let facts = Facts::read();
    process::set_name(c"isotest-server")?;
    // Whoever started the tests may have ignored or blocked some; a test finds all at their defaults.
    process::default_signals()?;
    // Ignored, so that the kernel reaps ended sandboxes by itself: their reports go straight to the client.
    process::ignore_children()?;
    let alive = process::own_pidfd()?;
    send(socket.as_fd(), &Hello { version: protocol::VERSION.to_owned(), threads }, &[])?;
    Ok(Server { socket, alive, facts, tests: OnceCell::new(), latest: None, proof })
}

impl Server {
    fn answer(&mut self, request: Request, descriptors: Vec<OwnedFd>, arguments: &Arguments) -> Role {
        match request {
            Request::Registry => self.registry(descriptors),
            Request::List(list) => self.list(&list, descriptors, arguments),
            Request::Run(run) => self.run(&run, descriptors, arguments),
        }
    }

    /// Another process writes, so that a slow reader does not hold up the server.
    fn registry(&self, mut descriptors: Vec<OwnedFd>) -> Role {
        let tests = self.tests();
        if let (Some(out), Ok(ForkResult::Child)) = (descriptors.pop(), process::fork(&self.proof)) {
            let mut out = std::io::BufWriter::new(std::fs::File::from(out));
            let written = tests.iter().try_for_each(|(name, test)| {
                let known = protocol::Known {
                    name: (*name).to_owned(),
                    spec: (!test.written.is_empty()).then(test.spec),
                    written: test.written.iter().copied().map(str::to_owned).collect(),
                    should_panic: test.should_panic.map(str::to_owned),
                };
                known.write(&mut out)
            });
            let flushed = written.and_then(|()| std::io::Write::flush(&mut out));
            exit_now(i32::from(flushed.is_err()));
        }
        Role::Server
    }

    /// The registered tests, looked up once, by whom all sandboxes are copies of; not before the lists are on their way.
    fn tests(&self) -> &[(&'static str, &'static sys::registry::Registered)] {
        self.tests.get_or_init(sys::registry::all)
    }

    fn list(&self, list: &[String], mut descriptors: Vec<OwnedFd>, arguments: &Arguments) -> Role {
        match (descriptors.pop(), process::fork(&self.proof)) {
            (Some(out), Ok(ForkResult::Child)) => {
                let list: Vec<&str> = list.iter().map(String::as_str).collect();
                arguments.rewrite(&self.proof, &list);
                // Lists that are made at once must not write one file.
                crate::coverage::separate_profiles(&self.proof, &format!("list-{}", std::process::id()));
                let ready = process::redirect(out.as_fd(), 1).and(process::wait_for_children());
                ready.and(process::close_from(3)).unwrap_or_else(|_| exit_now(1));
                std::mem::forget(out);
                Role::Main
            }
            _ => Role::Server,
        }
    }

    fn run(&mut self, run: &Run, descriptors: Vec<OwnedFd>, arguments: &Arguments) -> Role {
        let mut descriptors = descriptors.into_iter();
        let (Some(out), Some(err), Some(report)) = (descriptors.next(), descriptors.next(), descriptors.next()) else {
            return Role::Server;
        };
        let capture = descriptors.next();
        if let Target::Body = run.target {
            self.tests();
        }
        match self.start_sandbox(run, &report, capture.as_ref()) {
            Some(ties) => {
                drop((report, capture)); // Before the test closes all that it has not opened itself.
                become_test(run, &self.facts, &self.proof, self.tests(), [out, err], ties, arguments);
                Role::Main
            }
            None => Role::Server,
        }
    }

    /// The plan for this run: most tests of a suite ask for the same.
    fn plan(&mut self, run: &Run) -> Rc<Plan> {
        match &self.latest {
            Some((spec, keep, plan)) if *spec == run.spec && *keep == run.keep => Rc::clone(plan),
            _ => {
                let plan = Rc::new(Plan::new(&run.spec, &self.facts, &run.keep));
                self.latest = Some((run.spec.clone(), run.keep.clone(), Rc::clone(&plan)));
                plan
            }
        }
    }

    /// Clones init. Returns something only in the test process.
    fn start_sandbox(&mut self, run: &Run, report: &OwnedFd, capture: Option<&OwnedFd>) -> Option<Ties> {
        if let Some(step) = run.spec.contradiction() {
            refuse(report, Failure { step, stage: Stage::Spec, errno: 0 });
            return None;
        }
        let plan = self.plan(run);
        let flags = plan::clone_flags(run);
        let start_in = |flags| self.start_in(flags, run, &plan, report, capture);
        let mut started = start_in(flags);
        if started.is_err() && self.facts.uid == 0 && run.isolation == Isolation::Required {
            // Root may be forbidden user namespaces: its real privileges do instead. If they don't, the first refusal is
            // the one to mend.
            started = start_in(flags - CloneFlags::CLONE_NEWUSER).or(started);
        }
        started.unwrap_or_else(|errno| {
            let step = format!("cloning init into new namespaces ({})", plan::names(flags));
            refuse(report, Failure { step, stage: Stage::Clone, errno: errno as i32 });
            None
        })
    }

    fn start_in(
        &self,
        flags: CloneFlags,
        run: &Run,
        plan: &Plan,
        report: &OwnedFd,
        capture: Option<&OwnedFd>,
    ) -> nix::Result<Option<Ties>> {
        let user_namespace = flags.contains(CloneFlags::CLONE_NEWUSER);
        let mapped_by_us = user_namespace && self.facts.uid == 0;
        // A socket and not a pipe, because writing to a pipe whose reader was killed would kill the server.
        let gate = if mapped_by_us {
            Some(socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?)
        } else {
            None
        };
        let porter = self.hire_porter(run)?;
        match process::clone(&self.proof, flags)? {
            ForkResult::Child => {
                if let Some((opens, held)) = gate {
                    drop(held);
                    wait_at(opens.as_fd());
                }
                let sandbox = Sandbox { run, plan, user_namespace, report, capture, proof: &self.proof };
                Ok(Some(init::run(&sandbox, self.alive.as_fd(), porter)))
            }
            ForkResult::Parent { child } => {
                if let Some((_, opens)) = gate {
                    // If this fails, init finds itself without ids and its first step reports it.
                    drop(carry_out(&plan::whole_id_maps(child.as_raw(), &self.facts), &mut Detached::default()));
                    socket::send(opens.as_raw_fd(), b"!", MsgFlags::MSG_NOSIGNAL).ok(); // Init may have been killed meanwhile.
                }
                Ok(None)
            }
        }
    }
}

impl Server {
    /// Starts the process that connects the test's labs to the machine's network; gives the socket on which to ask it.
    #[cfg(feature = "lab")]
    fn hire_porter(&self, run: &Run) -> nix::Result<Option<OwnedFd>> {
        if !crate::own::Own::of(run).uplink {
            return Ok(None);
        }
        let (asks, answers) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        match process::fork(&self.proof)? {
            ForkResult::Child => crate::lab::porter::serve(&self.proof, answers, self.alive.as_fd()),
            ForkResult::Parent { .. } => Ok(Some(asks)),
        }
    }

    #[cfg(not(feature = "lab"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "there is something to do where there are labs")]
    fn hire_porter(&self, _run: &Run) -> nix::Result<Option<OwnedFd>> {
        Ok(None)
    }
}

fn refuse(report: &OwnedFd, failure: Failure) {
    let report_of_it = Report::of_nothing_but(End::SetupFailed(failure));
    send(report.as_fd(), &report_of_it, &[]).ok(); // A client that is gone wants no report.
}

/// Waits for the server's word. Its silence is its end: init was not tied to it yet, and ends with it here.
fn wait_at(gate: BorrowedFd<'_>) {
    if nix::unistd::read(gate, &mut [0]) != Ok(1) {
        exit_now(1);
    }
}
