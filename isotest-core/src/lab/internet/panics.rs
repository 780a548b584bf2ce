//! Which handlers of the pretend internet have panicked? A test whose body did not notice fails by it all the same.
//!
//! A panic is written down by the hook, before the handler's connection is closed: who hears of its end first may be the test's body,
//! which then ends. What the handler catches itself is struck out again.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};

/// One that counts.
#[derive(Debug)]
struct Panic {
    /// Which thread has it, as long as it may catch it.
    caught_by: Option<ThreadId>,
    text: String,
}

static PANICS: Mutex<Vec<Panic>> = Mutex::new(Vec::new());

thread_local! {
    static SERVING: RefCell<Option<Serving>> = const { RefCell::new(None) };
}

/// Whom a thread serves.
struct Serving {
    whom: String,
    until: Arc<Over>,
}

/// Whether a lab has come to its end: what handlers suffer from then on is no failure.
#[derive(Debug, Default)]
pub(crate) struct Over(AtomicBool);

impl Over {
    /// It has.
    pub(crate) fn now(&self) {
        let _written = panics();
        self.0.store(true, Ordering::Relaxed);
    }
}

fn panics() -> MutexGuard<'static, Vec<Panic>> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has panics of handlers heard from now on, and whoever else hears of panics hear of them still.
pub(crate) fn listen() {
    static LISTENING: Once = Once::new();
    if thread::panicking() {
        return; // Then the hook can't be changed.
    }
    LISTENING.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            hear(panic);
            others(panic);
        }));
    });
}

fn hear(panic: &PanicHookInfo<'_>) {
    // Where thread-local values are gone already, no handler runs.
    let heard = SERVING.try_with(|serving| {
        if let Some(Serving { whom, until }) = &*serving.borrow() {
            write_down(whom, until, panic.location(), panic.payload());
        }
    });
    heard.unwrap_or_default();
}

fn write_down(whom: &str, until: &Over, location: Option<&Location<'_>>, payload: &(dyn Any + Send)) {
    let at = location.map(|location| format!(" at {location}")).unwrap_or_default();
    let words = payload.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("(no text)");
    let text = format!("the handler of `{whom}` in the pretend internet panicked{at}: {words}");
    let mut panics = panics();
    if !until.0.load(Ordering::Relaxed) {
        let own = Some(thread::current().id());
        // What it panicked with before, it has caught.
        panics.retain(|panic| panic.caught_by != own);
        panics.push(Panic { caught_by: own, text });
    }
}

/// Runs a handler; `None` if it panics.
pub(crate) fn watch<T>(whom: String, until: &Arc<Over>, handler: impl FnOnce() -> T) -> Option<T> {
    SERVING.set(Some(Serving { whom, until: Arc::clone(until) }));
    let ended = catch_unwind(AssertUnwindSafe(handler));
    let serving = SERVING.take();
    let own = Some(thread::current().id());
    match ended {
        Ok(value) => {
            panics().retain(|panic| panic.caught_by != own);
            Some(value)
        }
        Err(payload) => {
            // The test may have put a hook of its own in the place of ours.
            let heard = panics().iter().any(|panic| panic.caught_by == own);
            if let (false, Some(Serving { whom, until })) = (heard, serving) {
                write_down(&whom, &until, None, &*payload);
            }
            panics().iter_mut().filter(|panic| panic.caught_by == own).for_each(|panic| panic.caught_by = None);
            std::mem::forget(payload); // Dropping it could panic again.
            None
        }
    }
}

/// What is to be said of all so far, which are forgotten then.
pub(crate) fn take() -> Option<String> {
    told(std::mem::take(&mut *panics()).into_iter().map(|panic| panic.text).collect())
}

/// Each once, and not more than can be read.
fn told(mut panics: Vec<String>) -> Option<String> {
    const MOST: usize = 10;
    let mut lines = Vec::new();
    while let Some(first) = panics.first().cloned() {
        let all = panics.len();
        panics.retain(|panic| *panic != first);
        let times = all - panics.len();
        lines.push(if times > 1 { format!("{first} ({times} times)") } else { first });
    }
    let more = lines.len().saturating_sub(MOST);
    lines.truncate(MOST);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_and_of_very_many_some() {
        assert_eq!(told(Vec::new()), None);
        let three = ["a", "b", "a"].map(str::to_owned).to_vec();
        assert_eq!(told(three).as_deref(), Some("a (2 times)\nb"));
        let many = told((0..12).map(|number| number.to_string()).collect()).expect("there are some");
        assert!(many.ends_with("9\nand 2 more"), "{many}");
    }
}
