//! How do futures run in a host? On a tokio runtime whose only worker is a thread in it, so that sockets they open are the host's.
//!
//! Threads for blocking work, such as tokio's look-up of names, are started by that worker and so are in the host, too.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, mpsc};
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::error::{Error, Result};
use super::host::{Host, named};
use super::place::Place;

/// A runtime in a host. Its thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Runtime {
    handle: Handle,
    _alive: oneshot::Sender<()>,
}

impl Host {
    /// Runs a future in the host, on a runtime and a thread of its own, and waits for it. In an `async` test use
    /// [`Host::spawn_async`], which doesn't keep the test's own runtime waiting.
    ///
    /// # Panics
    ///
    /// As the future does, with the host's name before the message; otherwise as [`Host::enter`].
    pub fn block_on<T: Send>(&self, future: impl Future<Output = T> + Send) -> T {
        self.enter(|| {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.unwrap_or_else(|error| panic!("cannot start a tokio runtime: {error}")).block_on(future)
        })
    }

    /// Starts a future in the host, on a runtime that all futures of this host share. It may be awaited on any other. A panic's
    /// payload, which `JoinError::into_panic` gives, has the host's name before the message.
    ///
    /// # Errors
    ///
    /// When the lab can't be built, or the host's runtime not be started.
    pub fn spawn_async<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<JoinHandle<T>> {
        let place = self.place()?;
        let mut runtime = place.runtime().lock().unwrap_or_else(PoisonError::into_inner);
        let handle = match &*runtime {
            Some(runtime) => runtime.handle.clone(),
            None => runtime.insert(start(self.name(), &place)?).handle.clone(),
        };
        Ok(handle.spawn(Named { host: self.name().to_owned(), future: Box::pin(future) }))
    }
}

fn start(host: &str, place: &Arc<Place>) -> Result<Runtime> {
    let (tell, told) = mpsc::channel();
    let (alive, gone) = oneshot::channel::<()>();
    let failed = |cause: String| Error::new(format!("starting a tokio runtime in `{host}`"), cause);
    let inside = Arc::clone(place);
    let run = move || {
        let entered = inside.enter();
        drop(inside); // The place holds the other end of `gone`.
        let built = entered
            .map_err(|error| error.to_string())
            .and_then(|()| Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string()));
        match built {
            Ok(runtime) => {
                tell.send(Ok(runtime.handle().clone())).ok();
                runtime.block_on(gone).ok();
                runtime.shutdown_background();
            }
            Err(cause) => drop(tell.send(Err(cause))),
        }
    };
    let started = thread::Builder::new().name(host.to_owned()).spawn(run);
    started.map_err(|error| failed(error.to_string()))?;
    let handle = told.recv().unwrap_or_else(|_| Err("its thread ended at once".to_owned()));
    Ok(Runtime { handle: handle.map_err(failed)?, _alive: alive })
}

/// A future whose panic gets the host's name.
struct Named<F> {
    host: String,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Named<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(context)));
        polled.unwrap_or_else(|payload| resume_unwind(named(&self.host, payload)))
    }
}
