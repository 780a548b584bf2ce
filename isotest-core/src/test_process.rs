//! What does the process that init forks do to become the test?

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::User;
use crate::host::Facts;
use crate::own::Own;
use crate::protocol::{Isolation, Run, Target};
use crate::sys;
use crate::sys::door::Arguments;
use crate::sys::process::{self, SingleThreaded, exit_now};
use crate::sys::registry::Registered;
use crate::sys::word::SharedWord;

/// What ties a test process to its init.
#[derive(Debug)]
pub(crate) struct Ties {
    /// Where the test's wrapper says how the body ended.
    pub(crate) word: SharedWord,
    /// The same as a file, for a program that is executed afresh.
    pub(crate) letter: Option<OwnedFd>,
    /// Init, where the test has to watch for its end, because no PID namespace of init's ends with it.
    pub(crate) init: Option<OwnedFd>,
    /// How it is known outside, where somebody may want to get to it.
    pub(crate) known_as: Option<String>,
    /// Who connects its labs to the machine's network, where it asked for that.
    pub(crate) porter: Option<OwnedFd>,
}

/// The arguments with which a test process enters the harness's `main`.
#[must_use]
pub fn harness_arguments(test: &str) -> [&str; 5] {
    // Two threads, not one: with one, libtest writes the test's name before the test's own output.
    ["--exact", test, "--nocapture", "--include-ignored", "--test-threads=2"]
}

/// Turns this process into the test. Returns where the harness's own `main` goes on.
pub(crate) fn become_test(
    run: &Run,
    facts: &Facts,
    proof: &SingleThreaded,
    tests: &[(&'static str, &'static Registered)],
    [out, err]: [OwnedFd; 2],
    ties: Ties,
    arguments: &Arguments,
) {
    // From LETTER on, in order: an executed test's door relies on it.
    let kept: Vec<&OwnedFd> = ties.letter.iter().chain(&ties.porter).collect();
    let first_to_close = LETTER + kept.len() as i32;
    let ready = process::redirect(out.as_fd(), 1)
        .and_then(|()| process::redirect(err.as_fd(), 2))
        .and_then(|()| process::unblock_signals())
        .and_then(|()| process::set_name(&facts.name))
        .and_then(|()| limit_processes(run))
        .and_then(|()| drop_privileges(run, facts))
        .and_then(|()| ties.init.as_ref().map_or(Ok(()), die_with))
        .and_then(|()| (LETTER..).zip(kept).try_for_each(|(place, kept)| process::redirect(kept.as_fd(), place)))
        .and_then(|()| process::close_from(first_to_close.cast_unsigned()));
    let (letter, has_porter) = (ties.letter.is_some(), ties.porter.is_some());
    std::mem::forget((out, err, ties.letter, ties.init, ties.porter)); // close_from has closed them.
    if let Err(errno) = ready {
        complain(&format!("isotest: cannot start the test process: {errno}\n"));
    }
    crate::coverage::separate_profiles(proof, &run.label);
    for (name, value) in run.environment.iter().chain(&run.spec.env) {
        sys::env::set(proof, name, value);
    }
    if let Some(known_as) = &ties.known_as {
        sys::env::set(proof, crate::hold::KNOWN_AS, known_as);
    }
    if let Target::Body | Target::Harness = run.target {
        arguments.rewrite(proof, &harness_arguments(&run.test));
        let porter = has_porter.then(|| process::own_descriptor(first_to_close - 1));
        crate::entry::enter(&run.test, ties.word, Own::of(run), porter);
    }
    match &run.target {
        Target::Body => run_body(run, tests, arguments),
        Target::Harness => {}
        Target::Exec(program) => exec(program, proof, letter),
    }
}

/// The descriptor at which an executed test finds its letter, until its door has closed it.
pub(crate) const LETTER: i32 = 3;
/// The descriptor at which it finds its porter, if the letter says that there is one.
pub(crate) const PORTER: i32 = LETTER + 1;

/// Dies when init does.
fn die_with(init: &OwnedFd) -> nix::Result<()> {
    process::die_with_parent()?;
    let mut ended = [PollFd::new(init.as_fd(), PollFlags::POLLIN)];
    if poll(&mut ended, PollTimeout::ZERO)? > 0 {
        exit_now(1);
    }
    Ok(())
}

/// Counted per user namespace since Linux 5.14, so one test's processes are not another's (`setrlimit(2)`).
fn limit_processes(run: &Run) -> nix::Result<()> {
    if run.isolation == Isolation::None {
        return Ok(());
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_NPROC)?;
    let limit = run.spec.processes.min(hard);
    setrlimit(Resource::RLIMIT_NPROC, limit, limit)
}

/// Takes away what would make file permissions mean less inside than outside, `capabilities(7)`.
fn drop_privileges(run: &Run, facts: &Facts) -> nix::Result<()> {
    /// CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, LINUX_IMMUTABLE, MKNOD, LEASE, SETFCAP.
    const BYPASS: u64 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 9 | 1 << 27 | 1 << 28 | 1 << 31;
    // Root outside has them outside too.
    if run.isolation == Isolation::None || facts.uid == 0 || run.spec.user == User::Root {
        return Ok(());
    }
    sys::capability::restrict(!BYPASS)
}

/// Does without the harness's `main`: it would copy the list of all tests for each one, and read the terminal's
/// description, which together cost more than all namespaces but one.
fn run_body(run: &Run, tests: &[(&'static str, &'static Registered)], arguments: &Arguments) -> ! {
    let Ok(at) = tests.binary_search_by_key(&run.test.as_str(), |(name, _)| *name) else {
        complain(&format!("isotest: this binary has no isolated test {:?}\n", run.test));
    };
    sys::constructors::run_the_rest(arguments);
    process::ignore_broken_pipes().ok(); // As std does before `main`; a test that writes to a closed pipe gets EPIPE.
    std::process::exit(crate::entry::run_directly(tests[at].1));
}

fn exec(target: &crate::protocol::Program, proof: &SingleThreaded, letter: bool) -> ! {
    for (name, value) in &target.environment {
        sys::env::set(proof, name, value);
    }
    if letter {
        sys::env::set(proof, sys::door::INSIDE, "1");
    }
    if let Err(error) = std::env::set_current_dir(&target.directory) {
        complain(&format!("isotest: cannot enter {}: {error}\n", target.directory.display()));
    }
    let text = |bytes: &[u8]| CString::new(bytes).unwrap_or_default();
    let program = text(target.program.as_os_str().as_bytes());
    let arguments = target.arguments.iter().map(|argument| text(argument.as_bytes()));
    let arguments: Vec<_> = std::iter::once(program.clone()).chain(arguments).collect();
    let errno = process::exec(&program, &arguments);
    complain(&format!("isotest: cannot run {}: {errno}\n", target.program.display()))
}

/// The test can't start: its own output says so, and so does the exit status.
fn complain(message: &str) -> ! {
    nix::unistd::write(std::io::stderr(), message.as_bytes()).ok();
    exit_now(127)
}
