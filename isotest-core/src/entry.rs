//! What the attribute's generated code calls: outside it asks the fork server and mirrors the child, inside it runs
//! the body.

use std::any::Any;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{ExitCode, Termination};
use std::sync::OnceLock;

use crate::Spec;
use crate::outcome::{Outcome, Word};
use crate::sys::word::SharedWord;
use crate::{mirror, sys};

/// One `#[isotest]` function, as the attribute describes it.
pub trait IsolatedTest {
    /// `module_path!()` and the function's name, joined by `::`.
    const PATH: &'static str;
    /// Whether the function carries `#[should_panic]`.
    const SHOULD_PANIC: bool;
    /// The words of `#[should_panic(expected = "…")]`.
    const EXPECTED_PANIC: &'static str = "";
    /// What it asks for.
    fn spec() -> Spec;
}

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
    spec: Spec,
    word: SharedWord,
}

static INSIDE: OnceLock<Inside> = OnceLock::new();

/// Tells this process that it is the test process of one test.
pub(crate) fn enter(test: &str, spec: &Spec, word: SharedWord) {
    // A test process is forked afresh from a server that never entered.
    drop(INSIDE.set(Inside { test: test.to_owned(), spec: spec.clone(), word }));
}

/// The same for a test process that was executed afresh; its init has written test and spec into the letter.
pub(crate) fn enter_by_letter(letter: OwnedFd) {
    let Ok((word, told)) = SharedWord::open_letter(&letter) else { return };
    if let Ok((test, spec)) = serde_json::from_slice::<(String, Spec)>(&told) {
        enter(&test, &spec, word);
    }
}

/// Runs `body` in a sandbox of its own.
///
/// # Panics
///
/// As the body did, with the body's message; and where the body ended in any other way than by returning.
pub fn run<T: IsolatedTest, R: Termination>(body: fn() -> R) -> Verdict {
    link::<T>();
    match INSIDE.get() {
        Some(inside) => run_inside::<T, R>(inside, body),
        None => match mirror::run_elsewhere(&test_name::<T>(), &T::spec()) {
            (Outcome::Passed | Outcome::Skipped(_), _) => Verdict(ExitCode::SUCCESS),
            (Outcome::Failed, Word::Failed) => Verdict(ExitCode::FAILURE),
            (Outcome::Failed, Word::Panicked(message)) => raise(message),
            (outcome, _) => {
                eprintln!("isotest: the test {outcome}");
                resume_unwind(Box::new(outcome.to_string()))
            }
        },
    }
}

/// The same for `#[should_panic]` functions, which the harness wants to return `()`: only the body's own panic is
/// passed on, so that an abort or a failed setup never counts as the panic that was hoped for.
///
/// # Panics
///
/// As the body did, with the body's message.
pub fn run_should_panic<T: IsolatedTest>(body: fn()) {
    link::<T>();
    match INSIDE.get() {
        Some(inside) => drop(run_inside::<T, ()>(inside, body)),
        None => match mirror::run_elsewhere(&test_name::<T>(), &T::spec()) {
            (Outcome::Passed | Outcome::Failed, Word::Panicked(message)) => raise(message),
            (Outcome::Passed | Outcome::Failed, _) => {}
            // The harness waits for a panic, and knows no test that was left out.
            (Outcome::Skipped(_), _) => raise(Some(T::EXPECTED_PANIC.to_owned())),
            (outcome, _) => eprintln!("isotest: the test {outcome}"),
        },
    }
}

/// Makes the linker keep the door and this test's place in the registry.
fn link<T: IsolatedTest>() {
    sys::door::link();
    sys::registry::register::<T>();
}

fn run_inside<T: IsolatedTest, R: Termination>(inside: &Inside, body: fn() -> R) -> Verdict {
    assert_eq!(
        inside.spec,
        T::spec(),
        "isotest: the sandbox of `{}` was made for another spec; this is a bug in isotest",
        inside.test
    );
    match catch_unwind(AssertUnwindSafe(|| body().report())) {
        Ok(code) => {
            let word = if code == ExitCode::SUCCESS { Word::Passed } else { Word::Failed };
            inside.word.say(&word);
            Verdict(code)
        }
        Err(payload) => {
            inside.word.say(&Word::Panicked(message(&*payload)));
            resume_unwind(payload)
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> Option<String> {
    let string = payload.downcast_ref::<String>().cloned();
    string.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()))
}

/// A panic's payload that was no string, in place of the child's own, which can't cross to this process.
#[derive(Debug)]
struct NotAString;

/// Panics without calling the hook: the child's hook has printed the message already.
fn raise(message: Option<String>) -> ! {
    match message {
        Some(message) => resume_unwind(Box::new(message)),
        None => resume_unwind(Box::new(NotAString)),
    }
}

/// The test's name in the harness. libtest names the thread after it; where it runs the test on the main thread, the
/// function's own path (without the crate) is the same.
fn test_name<T: IsolatedTest>() -> String {
    let own = T::PATH.split_once("::").map_or(T::PATH, |(_crate, path)| path);
    match std::thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => own.to_owned(),
    }
}
