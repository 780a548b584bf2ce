//! What the attribute's generated code calls: outside it asks the fork server and mirrors the child, inside it runs
//! the body.

use std::any::Any;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::panic::{catch_unwind, resume_unwind};
use std::process::{ExitCode, Termination};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::isolated::IsolatedTest;
use crate::outcome::{Outcome, Word};
use crate::own::Own;
use crate::sys::registry::Registered;
use crate::sys::word::SharedWord;
use crate::{mirror, sys};

/// What the wrapper returns to the test harness.
#[derive(Debug)]
pub struct Verdict(ExitCode);

impl Termination for Verdict {
    fn report(self) -> ExitCode {
        self.0
    }
}

/// What a test process knows about itself.
#[derive(Debug)]
struct Inside {
    test: String,
    word: SharedWord,
    #[cfg_attr(not(feature = "lab"), expect(dead_code, reason = "only a lab asks"))]
    own: Own,
    #[cfg_attr(not(feature = "lab"), expect(dead_code, reason = "only a lab asks"))]
    porter: Option<OwnedFd>,
}

static INSIDE: OnceLock<Inside> = OnceLock::new();

/// Tells this process that it is the test process of one test.
pub(crate) fn enter(test: &str, word: SharedWord, own: Own, porter: Option<OwnedFd>) {
    // A test process is forked afresh from a server that never entered.
    drop(INSIDE.set(Inside { test: test.to_owned(), word, own, porter }));
}

/// What this test process has of its own; `None` in any other process.
#[cfg(feature = "lab")]
pub(crate) fn own() -> Option<Own> {
    INSIDE.get().map(|inside| inside.own)
}

/// Who connects this test's labs to the machine's network, if the test asked for that.
#[cfg(feature = "lab")]
pub(crate) fn porter() -> Option<std::os::fd::BorrowedFd<'static>> {
    INSIDE.get()?.porter.as_ref().map(std::os::fd::AsFd::as_fd)
}

/// The same for a test process that was executed afresh; its init has written the test's name into the letter.
pub(crate) fn enter_by_letter(letter: OwnedFd, porter: impl FnOnce() -> OwnedFd) {
    let Ok((word, told)) = SharedWord::open_letter(&letter) else { return };
    if let Some((own, test)) = std::str::from_utf8(&told).ok().and_then(Own::read) {
        enter(test, word, own, own.uplink.then(porter));
    }
}

/// Runs the test in a sandbox of its own.
///
/// # Panics
///
/// As the body did, with the body's message; and where the body ended in any other way than by returning.
pub fn run<T: IsolatedTest>() -> Verdict {
    Verdict(run_or_mirror(link::<T>()))
}

/// The same for `#[should_panic]` functions, which the harness wants to return `()`: only the body's own panic is
/// passed on, so that an abort or a failed setup never counts as the panic that was hoped for.
///
/// # Panics
///
/// As the body did, with the body's message.
pub fn run_should_panic<T: IsolatedTest>() {
    run_or_mirror(link::<T>());
}

/// Makes the linker keep the door and this test's place in the registry. All else is not generic: a suite has thousands
/// of tests, and each would be compiled again.
fn link<T: IsolatedTest>() -> &'static Registered {
    sys::door::link();
    sys::registry::register::<T>();
    sys::registry::describe::<T>()
}

fn run_or_mirror(test: &'static Registered) -> ExitCode {
    if let Some(inside) = INSIDE.get() {
        return run_inside(test, inside).unwrap_or_else(|payload| resume_unwind(payload));
    }
    match (run_elsewhere(test), test.should_panic) {
        ((Outcome::Passed | Outcome::Failed, Word::Panicked(message)), _) => raise(message),
        ((Outcome::Passed, _), _) | ((Outcome::Skipped(_), _), None) => ExitCode::SUCCESS,
        ((Outcome::Failed, _), _) => ExitCode::FAILURE,
        // The harness waits for a panic, and knows no test that was left out.
        ((Outcome::Skipped(_), _), Some(expected)) => raise(Some(expected.to_owned())),
        ((outcome, _), should_panic) => {
            eprintln!("isotest: the test {outcome}");
            if should_panic.is_none() {
                resume_unwind(Box::new(outcome.to_string()));
            }
            ExitCode::FAILURE
        }
    }
}

/// Asks for the test once, however often the harness has it: `#[test]` above `#[isotest]` makes two of one function.
fn run_elsewhere(test: &'static Registered) -> (Outcome, Word) {
    type Answer = Arc<OnceLock<(Outcome, Word)>>;
    static ANSWERS: Mutex<BTreeMap<&str, Answer>> = Mutex::new(BTreeMap::new());
    let answer = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner).entry(test.path).or_default().clone();
    answer.get_or_init(|| mirror::run_elsewhere(&name_in_the_harness(test), &(test.spec)())).clone()
}

fn run_inside(test: &'static Registered, inside: &'static Inside) -> Result<ExitCode, Box<dyn Any + Send>> {
    WRAPPED.store(true, Ordering::Relaxed);
    if cfg!(panic = "abort") {
        end_by_a_panic(test, inside);
    }
    let ended = __rust_begin_short_backtrace(|| catch_unwind(test.body));
    #[cfg(feature = "lab")]
    let ended = or_by_a_handler(ended);
    conclude(test, inside, &ended);
    ended
}

/// Where a panic aborts the process, only its hook can tell what it was. The test process ends there as it would have after the panic;
/// panics of other threads abort it.
fn end_by_a_panic(test: &'static Registered, inside: &'static Inside) {
    let (body, before) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != body {
            return before(info);
        }
        let message = message(info.payload());
        // Before the harness has its say: where that has a hook of its own, it ends the process.
        inside.word.say(&Word::Panicked(message.clone()));
        before(info);
        let payload: Box<dyn Any + Send> = message.map_or_else(|| Box::new(()) as _, |message| Box::new(message) as _);
        let ended = Err(payload);
        conclude(test, inside, &ended);
        std::process::exit(if is_as_hoped(test.should_panic, &ended) { 0 } else { 101 });
    }));
}

/// The body has come to its end.
fn conclude(test: &Registered, inside: &Inside, ended: &Result<ExitCode, Box<dyn Any + Send>>) {
    if is_as_hoped(test.should_panic, ended) {
        #[cfg(feature = "lab")]
        crate::lab::held::let_go();
    } else {
        #[cfg(feature = "lab")]
        crate::lab::failure::tell();
        if crate::hold::is_asked() {
            crate::hold::wait();
        }
    }
    *ENDED.lock().unwrap_or_else(PoisonError::into_inner) = true;
    inside.word.say(&match ended {
        Ok(code) if *code == ExitCode::SUCCESS => Word::Passed,
        Ok(_) => Word::Failed,
        Err(payload) => Word::Panicked(message(&**payload)),
    });
}

/// A test whose body has succeeded fails all the same where a handler of its pretend internet has panicked.
#[cfg(feature = "lab")]
fn or_by_a_handler(ended: Result<ExitCode, Box<dyn Any + Send>>) -> Result<ExitCode, Box<dyn Any + Send>> {
    let Some(panics) = crate::lab::internet::panics::take() else { return ended };
    if matches!(ended, Ok(code) if code == ExitCode::SUCCESS) {
        eprintln!("isotest: the test fails: {panics}");
        return Err(Box::new(panics));
    }
    eprintln!("isotest: {panics}");
    ended
}

/// Leaves texts to be told if the test's body never comes to its end.
#[cfg(feature = "lab")]
pub(crate) fn leave(texts: &[String]) {
    let ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some(inside), false) = (INSIDE.get(), *ended) {
        inside.word.leave(texts);
    }
}

/// Whether the body has come to its end, so that there is nothing to be left any more: its other threads may still run.
static ENDED: Mutex<bool> = Mutex::new(false);

static WRAPPED: AtomicBool = AtomicBool::new(false);

/// Whether the test of this process has the attribute, whose wrapper knows when it has failed.
#[cfg(feature = "lab")]
pub(crate) fn is_wrapped() -> bool {
    WRAPPED.load(Ordering::Relaxed)
}

/// std leaves out of a backtrace what lies below a frame of this name.
#[inline(never)]
fn __rust_begin_short_backtrace<R>(body: impl FnOnce() -> R) -> R {
    let result = body();
    std::hint::black_box(()); // Keeps the call from becoming a jump, which would leave no frame.
    result
}

/// Runs the test in this process, which is inside its sandbox, as the harness would: on a thread with the test's name.
/// Gives libtest's exit status.
pub(crate) fn run_directly(test: &'static Registered) -> i32 {
    let inside = INSIDE.get().expect("a test process enters before it runs");
    let size = stack_size();
    let thread = std::thread::Builder::new().name(inside.test.clone()).stack_size(size);
    let thread = thread.spawn(move || {
        // A test that overflows its stack then dies without an explanation, but dies all the same.
        sys::stack::explain_overflow(&inside.test, size).ok();
        judge(test.should_panic, run_inside(test, inside))
    });
    let passed = thread.map(|thread| thread.join().unwrap_or(false));
    match passed {
        Ok(true) => 0,
        Ok(false) => 101,
        Err(error) => {
            eprintln!("isotest: cannot start the test's thread: {error}");
            101
        }
    }
}

/// What std gives the threads of a test: two mebibytes, or what the user says.
fn stack_size() -> usize {
    let asked = std::env::var("RUST_MIN_STACK").ok().and_then(|size| size.parse().ok());
    asked.unwrap_or(2 * 1024 * 1024)
}

fn judge(should_panic: Option<&str>, ended: Result<ExitCode, Box<dyn Any + Send>>) -> bool {
    let passed = is_as_hoped(should_panic, &ended);
    std::mem::forget(ended); // Dropping a payload could panic again.
    passed
}

fn is_as_hoped(should_panic: Option<&str>, ended: &Result<ExitCode, Box<dyn Any + Send>>) -> bool {
    match (should_panic, ended) {
        (None, Ok(code)) => *code == ExitCode::SUCCESS,
        (Some(_), Ok(_)) | (None, Err(_)) => false,
        (Some(expected), Err(payload)) => crate::outcome::is_expected_panic(expected, message(&**payload).as_deref()),
    }
}

fn message(payload: &(dyn Any + Send)) -> Option<String> {
    let string = payload.downcast_ref::<String>().cloned();
    string.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()))
}

/// A panic's payload that was no string, in place of the child's own, which can't cross to this process.
#[derive(Debug)]
struct NotAString;

/// Panics without calling the hook: the child's hook has printed the message already. Only where a panic aborts the process is it called,
/// because there it is the harness's, which learns of the panic by it.
fn raise(message: Option<String>) -> ! {
    let payload: Box<dyn Any + Send> = match message {
        Some(message) if cfg!(panic = "abort") => std::panic::panic_any(message),
        None if cfg!(panic = "abort") => std::panic::panic_any(NotAString),
        Some(message) => Box::new(message),
        None => Box::new(NotAString),
    };
    resume_unwind(payload)
}

/// libtest names the thread after the test; where it runs the test on the main thread, the function's own path is the
/// same.
fn name_in_the_harness(test: &Registered) -> String {
    match std::thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => test.name().to_owned(),
    }
}
