//! When does a host listen? The kernel tells nobody, so it is asked again and again; but nobody is connected to.

use std::time::{Duration, Instant};

use super::diag::Seen;
use super::sockets::{Listener, Protocol, listeners};

/// How long `wait_listening` waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The first pause, and the longest: each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_micros(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Asks until somebody listens, or patience is at an end: then gives who listens elsewhere.
pub(super) fn wait<E>(
    protocol: Protocol,
    port: u16,
    patience: Duration,
    mut ask: impl FnMut() -> Result<Vec<Seen>, E>,
) -> Result<Result<(), Vec<Listener>>, E> {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let left = patience.saturating_sub(began.elapsed());
        let listeners = listeners(&ask()?);
        if listeners.iter().any(|listener| listener.protocol == protocol && listener.address.port() == port) {
            return Ok(Ok(()));
        }
        if left.is_zero() {
            return Ok(Err(listeners));
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What is said of a host that does not listen where it should.
pub(super) fn instead(listeners: &[Listener]) -> String {
    if listeners.is_empty() {
        return "it listens nowhere".to_owned();
    }
    let listeners: Vec<_> = listeners.iter().map(Listener::to_string).collect();
    format!("it listens at {} instead", listeners.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_without_anybody() {
        let mut asked = 0;
        let nobody = wait(Protocol::Tcp, 80, Duration::from_millis(5), || {
            asked += 1;
            Ok::<_, ()>(Vec::new())
        });
        assert_eq!(nobody, Ok(Err(Vec::new())));
        assert!(asked >= 2, "at the beginning and at the end");
    }

    #[test]
    fn waiting_ends_when_the_kernel_does_not_answer() {
        assert_eq!(wait(Protocol::Tcp, 80, Duration::from_secs(1000), || Err("no")), Err("no"));
    }

    #[test]
    fn who_listens_elsewhere_is_named() {
        let listener = |text: &str| Listener { protocol: Protocol::Udp, address: text.parse().expect("an address") };
        assert_eq!(instead(&[]), "it listens nowhere");
        let both = [listener("0.0.0.0:53"), listener("[::]:5353")];
        assert_eq!(instead(&both), "it listens at udp 0.0.0.0:53, udp [::]:5353 instead");
    }
}
