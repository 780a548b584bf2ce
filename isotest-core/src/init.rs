//! PID 1 of a sandbox: carries out the plan, starts the test, reaps orphans, takes stock, reports.
//!
//! What it leaves to others: judging the outcome (the client), and killing what is left, which the kernel does
//! when PID 1 exits (`pid_namespaces(7)`).

mod census;
mod describe;
#[cfg(feature = "lab")]
mod labs;
mod litter;
mod orders;
mod ports;
mod recording;
mod stat;
mod stock;
mod watch;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};

use self::census::{Census, Scope, kill_descendants};
use self::litter::Clean;
use self::orders::Orders;
use self::recording::Recording;
use self::stock::Children;
use self::watch::{Labs, Watch};
use crate::coverage::Stranded;
use crate::hold::Outside;
use crate::outcome::{End, Failure, Stage};
use crate::own::Own;
use crate::plan::{Plan, Step, init_is_pid_1};
use crate::protocol::{Isolation, Leftovers, Run, Target, send_report};
use crate::report::Report;
use crate::setup::{Detached, carry_out};
use crate::sys::process::{self, SingleThreaded};
use crate::sys::word::SharedWord;
use crate::test_process::Ties;
use crate::{Namespace, Pid1};

/// What init needs to know.
#[derive(Debug)]
pub(crate) struct Sandbox<'a> {
    pub(crate) run: &'a Run,
    pub(crate) plan: &'a Plan,
    pub(crate) user_namespace: bool,
    pub(crate) report: &'a OwnedFd,
    /// Where captured packets go.
    pub(crate) capture: Option<&'a OwnedFd>,
    pub(crate) proof: &'a SingleThreaded,
}

/// Runs one sandbox. Returns only in the test process.
pub(crate) fn run(sandbox: &Sandbox<'_>, server: BorrowedFd<'_>, porter: Option<OwnedFd>) -> Ties {
    let stranded = has_own_mounts(sandbox).then(|| Stranded::expected(&sandbox.run.label)).flatten();
    let outside = attempt(sandbox, "looking at /proc from outside", Outside::look());
    if let Err(failure) = prepare(sandbox, server) {
        give_up(sandbox, failure);
    }
    let mut ties = attempt(sandbox, "tying the test to its init", tie(sandbox, porter));
    let word = ties.word;
    let children = attempt(sandbox, "watching for ended children", watch_children(sandbox));
    let census = Census::prepare(scope(sandbox), has_own_mounts(sandbox));
    let census = attempt(sandbox, "taking a copy of /proc", census);
    let clean = if has_own_mounts(sandbox) { Clean::look(sandbox.plan) } else { Clean::default() };
    let mut watch = Watch { recording: record(sandbox), labs: labs(sandbox) };
    // The test has init's user id and, in its own user namespace, the right to trace: it could stop init for ever. A
    // process that may not be dumped can only be traced by who has that right where its program was started.
    attempt(sandbox, "hiding init's memory", prctl::set_dumpable(!sandbox.user_namespace));
    match attempt(sandbox, "starting the test process", process::fork(sandbox.proof)) {
        ForkResult::Child => {
            attempt(sandbox, "showing the test's memory", prctl::set_dumpable(true));
            if sandbox.run.spec.pid1 == Pid1::Test
                && isolated(sandbox)
                && let Err(failure) = carry_out(&sandbox.plan.process_files, &mut Detached::default())
            {
                give_up(sandbox, failure);
            }
            let known_as = outside.as_ref().map(|outside| outside.known_as(own_namespaces(sandbox)));
            ties.known_as = known_as.map(|known_as| attempt(sandbox, "asking how the test is known outside", known_as));
            std::mem::forget((children, census, watch, outside)); // The test closes them with all others.
            ties
        }
        ForkResult::Parent { child } => {
            // The test's end is to be the porter's.
            drop((ties.letter, ties.porter));
            attempt(sandbox, "entering the copy of /proc", census.enter());
            let end = supervise(child, sandbox, &children, &census, &mut watch);
            if let Some(profiles) = stranded {
                // Before files are counted, which they are not to be. What is missing in one says nothing of the test.
                profiles.carry_out().ok();
                attempt(sandbox, "entering the copy of /proc again", census.enter());
            }
            let mut report = stock::take(sandbox, end, &word, &census, &clean);
            watch.close_labs(&mut report);
            if sandbox.run.leftovers == Leftovers::Stay {
                send_report(sandbox.report.as_fd(), &report).ok(); // If nobody listens any more, nothing stays.
                look_after_what_is_left(sandbox, &children);
                end_all(sandbox);
            }
            if let Some(recording) = watch.recording {
                end_all_but_init(sandbox, child, &report.end);
                report.captured = Some(recording.finish());
            }
            if !has_pid_namespace(sandbox) {
                kill_descendants();
            }
            finish(sandbox, report)
        }
    }
}

/// Everything before the test process exists.
fn prepare(sandbox: &Sandbox<'_>, server: BorrowedFd<'_>) -> Result<(), Failure> {
    let failed = |step: &str| {
        let step = step.to_owned();
        move |errno: Errno| Failure { step, stage: Stage::Other, errno: errno as i32 }
    };
    process::wait_for_children().map_err(failed("resetting SIGCHLD"))?;
    // A session of its own: `kill(0, …)` in a test reaches its own sandbox only, and there is no terminal to disturb.
    nix::unistd::setsid().map_err(failed("leaving the server's session"))?;
    process::set_name(c"isotest-init").map_err(failed("naming init"))?;
    let run = sandbox.run;
    if run.isolation == Isolation::Required {
        let mut detached = Detached::default();
        if sandbox.user_namespace {
            carry_out(&sandbox.plan.id_maps, &mut detached)?;
        }
        carry_out(&sandbox.plan.sandbox, &mut detached)?;
        match run.spec.pid1 {
            Pid1::Init => carry_out(&sandbox.plan.process_files, &mut detached)?,
            Pid1::Test => carry_out(&[Step::Unshare(CloneFlags::CLONE_NEWPID)], &mut detached)?,
        }
    }
    if !has_pid_namespace(sandbox) {
        // No PID namespace ends with this init, so it has to find what the test leaves behind.
        process::adopt_orphans().map_err(failed("becoming the parent of orphans"))?;
    }
    // After the last change of credentials, which would clear it; then look whether the server died before.
    let signal = if has_pid_namespace(sandbox) { Signal::SIGKILL } else { SERVER_ENDED };
    process::signal_when_parent_ends(signal).map_err(failed("tying init to its server"))?;
    let mut alive = [PollFd::new(server, PollFlags::POLLIN)];
    if poll(&mut alive, PollTimeout::ZERO).map_err(failed("looking for the server"))? > 0 {
        process::exit_now(1);
    }
    Ok(())
}

/// Begins to record the test's network, if it has one of its own and somebody wants to know.
fn record(sandbox: &Sandbox<'_>) -> Option<Recording> {
    let run = sandbox.run;
    let file = sandbox.capture.filter(|_| isolated(sandbox) && run.spec.net == Namespace::Isolated)?;
    Some(attempt(sandbox, "opening sockets to capture packets with", Recording::start(file, &run.test)))
}

/// Listens to the labs of the test, if there is anything to know of them; and lays a link to what is outside, if somebody wants to know
/// where the test tries to go.
fn labs(sandbox: &Sandbox<'_>) -> Option<Labs> {
    let own = Own::of(sandbox.run);
    let opened = if own.listens() { Labs::open(own, &sandbox.run.spec.egress) } else { Ok(None) };
    opened.unwrap_or_else(|failure| give_up(sandbox, failure))
}

fn tie(sandbox: &Sandbox<'_>, porter: Option<OwnedFd>) -> nix::Result<Ties> {
    let run = sandbox.run;
    let init = if init_is_pid_1(run) { None } else { Some(process::own_pidfd()?) };
    let (word, letter) = match &run.target {
        Target::Exec(program) if program.wrapped => {
            let (word, letter) = SharedWord::as_letter(Own::of(run).before(&run.test).as_bytes())?;
            (word, Some(letter))
        }
        _ => (SharedWord::new()?, None),
    };
    let knows_isotest = letter.is_some() || !matches!(run.target, Target::Exec(_));
    Ok(Ties { word, letter, init, porter: porter.filter(|_| knows_isotest), known_as: None })
}

/// Init's end is the end of all in its PID namespace. Without one it has to hear that the server has ended, in order to end
/// them itself.
const SERVER_ENDED: Signal = Signal::SIGHUP;

fn watch_children(sandbox: &Sandbox<'_>) -> nix::Result<SignalFd> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    // A PID 1 hears nothing of what its own namespace sends it, unless it blocks the signal: then a test could end it so.
    if !has_pid_namespace(sandbox) {
        mask.add(SERVER_ENDED);
    }
    mask.thread_block()?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// Waits for the test process, and reaps whatever else becomes init's child.
fn supervise(test: Pid, sandbox: &Sandbox<'_>, children: &SignalFd, census: &Census, watch: &mut Watch) -> End {
    // Only the test may hold the output open: its end must be the reader's end of file.
    for output in [1, 2] {
        process::redirect(process::standard_input(), output).ok(); // The server's standard input is /dev/null.
    }
    let mut orders = Orders::new(sandbox.report, is_pid_1(sandbox), sandbox.run.spec.timeout);
    let mut stopped = false;
    loop {
        match reap(test) {
            Some(Change::Ended(end)) => return end,
            Some(Change::Stopped) => stopped = true,
            Some(Change::Continued) => stopped = false,
            None => {}
        }
        if orders.obey() {
            return End::TimedOut;
        }
        let stopped_itself = stopped && !orders.paused();
        if stopped_itself && !census.anybody_runs() {
            // It may have been continued, and have ended, after init heard that it had stopped. Nobody is left who could do
            // that now, so what has become of it by now is what will ever become of it.
            match reap(test) {
                Some(Change::Ended(end)) => return end,
                Some(Change::Continued) => stopped = false,
                Some(Change::Stopped) | None => return End::Stopped,
            }
            continue;
        }
        let mut left = match orders.time_left() {
            Some(Duration::ZERO) => return End::TimedOut,
            left => left,
        };
        if stopped_itself {
            // Init hears of its own children only: what else stops, or ends, it has to look for.
            left = Some(left.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN));
        }
        let news = wait_for_news(children, orders.source(), watch, left);
        news.unwrap_or_else(|Orphaned| end_all(sandbox));
    }
}

/// Waits until nothing is left, or the client wants no more of it.
fn look_after_what_is_left(sandbox: &Sandbox<'_>, children: &SignalFd) {
    let mut orders = Orders::new(sandbox.report, is_pid_1(sandbox), None);
    while stock::reap_the_dead() == Children::Living && !orders.obey() && orders.source().is_some() {
        if wait_for_news(children, orders.source(), &mut Watch::default(), None).is_err() {
            return;
        }
    }
}

/// Ends all that could still send packets, and waits for its end.
fn end_all_but_init(sandbox: &Sandbox<'_>, test: Pid, end: &End) {
    if is_pid_1(sandbox) {
        kill(Pid::from_raw(-1), Signal::SIGKILL).ok(); // There may be nobody.
    } else if !has_pid_namespace(sandbox) {
        return kill_descendants();
    } else if matches!(end, End::TimedOut | End::Stopped) {
        // It is PID 1 of all others. Where it has ended by itself, they have ended with it, and its number may be another's.
        kill(test, Signal::SIGKILL).ok();
    }
    while !matches!(waitpid(None, None), Err(Errno::ECHILD)) {}
}

/// Ends the sandbox without a report.
fn end_all(sandbox: &Sandbox<'_>) -> ! {
    if !has_pid_namespace(sandbox) {
        kill_descendants();
    }
    process::exit_now(0)
}

/// How long the last process that runs beside a stopped test may have stopped before init notices.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What has become of the test process.
enum Change {
    Ended(End),
    Stopped,
    Continued,
}

/// Collects every child that has changed; tells the latest change of the test.
fn reap(test: Pid) -> Option<Change> {
    let mut change = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED | WaitPidFlag::WCONTINUED)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == test => return Some(Change::Ended(End::Exited(status))),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == test => {
                return Some(Change::Ended(End::Signalled(signal as i32)));
            }
            Ok(WaitStatus::Stopped(pid, _)) if pid == test => change = Some(Change::Stopped),
            Ok(WaitStatus::Continued(pid)) if pid == test => change = Some(Change::Continued),
            Ok(WaitStatus::StillAlive) => return change,
            Ok(_) | Err(Errno::EINTR) => {}
            // nix does not know real-time signals: the process they killed is gone all the same.
            Err(Errno::EINVAL) => return Some(Change::Ended(End::Signalled(libc::SIGRTMIN()))),
            Err(_) => return change,
        }
    }
}

/// The server has ended.
struct Orphaned;

/// Waits until a child has changed, the client has said something, or this much time has passed. Meanwhile, the network is watched.
fn wait_for_news(
    children: &SignalFd,
    client: Option<BorrowedFd<'_>>,
    watch: &mut Watch,
    left: Option<Duration>,
) -> Result<(), Orphaned> {
    // A millisecond is added because poll rounds down and would spin through the last one.
    let timeout = left.into_iter().chain(watch.patience()).min().map_or(PollTimeout::NONE, |left| {
        PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
    });
    let mut sources: Vec<_> = client.into_iter().chain([children.as_fd()]).collect();
    sources.extend(watch.sources());
    let mut sources: Vec<_> = sources.into_iter().map(|source| PollFd::new(source, PollFlags::POLLIN)).collect();
    poll(&mut sources, timeout).ok(); // Interrupted or not: the caller looks again.
    drop(sources);
    watch.take();
    while let Ok(Some(signal)) = children.read_signal() {
        if signal.ssi_signo == SERVER_ENDED as u32 {
            return Err(Orphaned);
        }
    }
    Ok(())
}

fn is_pid_1(sandbox: &Sandbox<'_>) -> bool {
    init_is_pid_1(sandbox.run)
}

/// Whether init may mount, and what it mounts is nobody else's.
fn has_own_mounts(sandbox: &Sandbox<'_>) -> bool {
    isolated(sandbox) && sandbox.run.spec.mount == Namespace::Isolated
}

fn scope(sandbox: &Sandbox<'_>) -> Scope {
    match has_pid_namespace(sandbox) {
        true if is_pid_1(sandbox) => Scope::Namespace,
        true => Scope::Test,
        false => Scope::Descendants,
    }
}

/// Whether there is a PID namespace whose end is the end of all that is in it.
fn has_pid_namespace(sandbox: &Sandbox<'_>) -> bool {
    isolated(sandbox) && sandbox.run.spec.pid == Namespace::Isolated
}

fn isolated(sandbox: &Sandbox<'_>) -> bool {
    sandbox.run.isolation == Isolation::Required
}

/// The namespaces that are the sandbox's own.
fn own_namespaces(sandbox: &Sandbox<'_>) -> CloneFlags {
    let mut own = CloneFlags::empty();
    own.set(CloneFlags::CLONE_NEWUSER, sandbox.user_namespace);
    if isolated(sandbox) {
        let spec = &sandbox.run.spec;
        for (whose, flag) in [
            (spec.net, CloneFlags::CLONE_NEWNET),
            (spec.mount, CloneFlags::CLONE_NEWNS),
            (spec.uts, CloneFlags::CLONE_NEWUTS),
            (spec.ipc, CloneFlags::CLONE_NEWIPC),
            (spec.pid, CloneFlags::CLONE_NEWPID),
        ] {
            own.set(flag, whose == Namespace::Isolated);
        }
    }
    own
}

fn attempt<T>(sandbox: &Sandbox<'_>, step: &str, result: nix::Result<T>) -> T {
    result.unwrap_or_else(|errno| {
        give_up(sandbox, Failure { step: step.to_owned(), stage: Stage::Other, errno: errno as i32 })
    })
}

fn give_up(sandbox: &Sandbox<'_>, failure: Failure) -> ! {
    finish(sandbox, Report::of_nothing_but(End::SetupFailed(failure)))
}

fn finish(sandbox: &Sandbox<'_>, report: Report) -> ! {
    // If nobody listens any more there is nobody to tell.
    send_report(sandbox.report.as_fd(), &report).ok();
    process::exit_now(0)
}
