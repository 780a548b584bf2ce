//! What a test asks for: plain data, no behaviour.
//!
//! A [`Spec`] is written by the `#[isotest]` attribute (or by hand, with the builder methods), travels to the
//! fork server with the request to run a test, and is turned into an ordered plan there. It says nothing about
//! how the kernel is asked; that is the plan's business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one test asks for.
///
/// ```
/// use isotest::{Net, Spec};
/// use std::time::Duration;
///
/// let spec = Spec::default().net(Net::Host).timeout(Duration::from_secs(5));
/// assert_eq!(spec.net, Net::Host);
/// assert_eq!(spec.hostname, "isotest");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spec {
    /// Which network the test sees.
    pub net: Net,
    /// The host name inside, at most 64 bytes (`sethostname(2)`).
    pub hostname: String,
    /// The size in bytes of each private tmpfs (`/tmp`, `/var/tmp`, `/dev/shm`, `/run`).
    pub tmp: u64,
    /// Who the test is inside.
    pub user: User,
    /// Which process is PID 1.
    pub pid1: Pid1,
    /// Environment variables set before the test starts, in order.
    pub env: Vec<(String, String)>,
    /// After how long the test and all it started are killed; `None` means never.
    pub timeout: Option<Duration>,
    /// How many processes and threads may exist inside at once (`RLIMIT_NPROC`, `setrlimit(2)`).
    pub processes: u64,
}

/// Which network a test sees (`network_namespaces(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Net {
    /// A network of its own: `lo` up with 127.0.0.1 and ::1, and nothing else.
    Isolated,
    /// The network of whoever started the tests.
    Host,
}

/// Who a test is inside its user namespace (`user_namespaces(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum User {
    /// The caller's own uid and gid, without the capabilities that bypass file permissions.
    #[serde(rename = "self")]
    Caller,
    /// uid 0 and gid 0, with every capability over the test's own namespaces.
    Root,
}

/// Which process is PID 1 of the sandbox (`pid_namespaces(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pid1 {
    /// A reaping init; the test is PID 2.
    Init,
    /// The test itself, for those who test an init: nobody reaps for it, and signals it does not handle are ignored.
    Test,
}

impl Default for Spec {
    fn default() -> Self {
        Spec {
            net: Net::Isolated,
            hostname: "isotest".to_owned(),
            tmp: 256 << 20,
            user: User::Caller,
            pid1: Pid1::Init,
            env: Vec::new(),
            timeout: None,
            processes: 4096,
        }
    }
}

impl Spec {
    /// Chooses the network.
    #[must_use]
    pub fn net(mut self, net: Net) -> Self {
        self.net = net;
        self
    }

    /// Chooses the host name.
    #[must_use]
    pub fn hostname(mut self, hostname: &str) -> Self {
        hostname.clone_into(&mut self.hostname);
        self
    }

    /// Chooses the size, in bytes, of each private tmpfs.
    #[must_use]
    pub fn tmp(mut self, bytes: u64) -> Self {
        self.tmp = bytes;
        self
    }

    /// Chooses the identity.
    #[must_use]
    pub fn user(mut self, user: User) -> Self {
        self.user = user;
        self
    }

    /// Chooses PID 1.
    #[must_use]
    pub fn pid1(mut self, pid1: Pid1) -> Self {
        self.pid1 = pid1;
        self
    }

    /// Sets one environment variable; the last of two with one name wins.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Kills the test and all it started after this long.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Chooses how many processes and threads may exist inside at once.
    #[must_use]
    pub fn processes(mut self, processes: u64) -> Self {
        self.processes = processes;
        self
    }
}
