//! What a test asks for: plain data, no behaviour.
//!
//! A [`Spec`] is written by the `#[isotest]` attribute (or by hand, with the builder methods), travels to the
//! fork server with the request to run a test, and is turned into an ordered plan there. It says nothing about
//! how the kernel is asked; that is the plan's business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::egress::Egress;

/// What one test asks for.
///
/// ```
/// use isotest::{Namespace, Spec};
/// use std::time::Duration;
///
/// let spec = Spec::default().net(Namespace::Host).timeout(Duration::from_secs(5));
/// assert_eq!(spec.net, Namespace::Host);
/// assert_eq!(spec.hostname, "isotest");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spec {
    /// Whose network, and abstract Unix sockets, the test sees (`network_namespaces(7)`).
    pub net: Namespace,
    /// Whose mounts, and so whose `/tmp` and its like (`mount_namespaces(7)`).
    pub mount: Namespace,
    /// Whose processes (`pid_namespaces(7)`).
    pub pid: Namespace,
    /// Whose host name (`uts_namespaces(7)`).
    pub uts: Namespace,
    /// Whose System V IPC and POSIX message queues (`ipc_namespaces(7)`).
    pub ipc: Namespace,
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
    /// What becomes of a test that leaves processes behind, or files in its private directories.
    pub leaks: Policy,
    /// What becomes of a test that tries to reach an address outside of its sandbox. Only where the network is its own.
    pub egress: Egress,
    /// Of which runs a file tells afterwards what went over the test's network. Only where that is its own.
    pub pcap: Pcap,
    /// Whether its labs may be connected to the machine's network.
    pub uplink: bool,
}

/// Whose namespace of one kind a test lives in (`namespaces(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// One of its own.
    Isolated,
    /// That of whoever started the tests.
    Host,
}

/// What becomes of a test that did what it should, and something beside it that it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// It passes.
    Ignore,
    /// It passes, and a note says what it did.
    Warn,
    /// It fails.
    Fail,
}

/// Of which runs of a test the packets on its network are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pcap {
    /// Of none: nobody looks at them.
    Never,
    /// Of those that have failed.
    Failed,
    /// Of all.
    Always,
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

const DEFAULT_HOSTNAME: &str = "isotest";

impl Default for Spec {
    fn default() -> Self {
        Spec {
            net: Namespace::Isolated,
            mount: Namespace::Isolated,
            pid: Namespace::Isolated,
            uts: Namespace::Isolated,
            ipc: Namespace::Isolated,
            hostname: DEFAULT_HOSTNAME.to_owned(),
            tmp: 256 << 20,
            user: User::Caller,
            pid1: Pid1::Init,
            env: Vec::new(),
            timeout: None,
            processes: 4096,
            leaks: Policy::Warn,
            egress: Egress::Warn,
            pcap: Pcap::Never,
            uplink: false,
        }
    }
}

impl Spec {
    /// Chooses the network.
    #[must_use]
    pub fn net(mut self, net: Namespace) -> Self {
        self.net = net;
        self
    }

    /// Chooses the mounts.
    #[must_use]
    pub fn mount(mut self, mount: Namespace) -> Self {
        self.mount = mount;
        self
    }

    /// Chooses the processes that it sees.
    #[must_use]
    pub fn pid(mut self, pid: Namespace) -> Self {
        self.pid = pid;
        self
    }

    /// Chooses the namespace of the host name.
    #[must_use]
    pub fn uts(mut self, uts: Namespace) -> Self {
        self.uts = uts;
        self
    }

    /// Chooses the System V IPC and POSIX message queues.
    #[must_use]
    pub fn ipc(mut self, ipc: Namespace) -> Self {
        self.ipc = ipc;
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

    /// Chooses what becomes of the test if it leaves something behind.
    #[must_use]
    pub fn leaks(mut self, policy: Policy) -> Self {
        self.leaks = policy;
        self
    }

    /// Chooses what becomes of the test if it tries to leave its sandbox.
    #[must_use]
    pub fn egress(mut self, egress: impl Into<Egress>) -> Self {
        self.egress = egress.into();
        self
    }

    /// Chooses of which runs the packets on the test's network are kept.
    #[must_use]
    pub fn pcap(mut self, pcap: Pcap) -> Self {
        self.pcap = pcap;
        self
    }

    /// Chooses whether the test's labs may be connected to the machine's network.
    #[must_use]
    pub fn uplink(mut self, uplink: bool) -> Self {
        self.uplink = uplink;
        self
    }

    /// Why no sandbox can be as this says; `None` if one can. It names both arguments, and what to write instead.
    #[must_use]
    pub fn contradiction(&self) -> Option<String> {
        use Namespace::{Host, Isolated};
        if self.mount == Host && self.pid == Isolated {
            let why = "with the host's mounts, /proc would show the host's processes under the test's numbers";
            return Some(format!("mount = \"host\" contradicts pid = \"isolated\": {why}; add pid = \"host\""));
        }
        if self.pid1 == Pid1::Test && self.pid == Host {
            let why = "the host has a PID 1 already";
            return Some(format!("init = false contradicts pid = \"host\": {why}; leave one of the two out"));
        }
        if self.hostname != DEFAULT_HOSTNAME && self.uts == Host {
            let why = "the test may not rename the host";
            return Some(format!("hostname contradicts uts = \"host\": {why}; leave one of the two out"));
        }
        if let Egress::Allow(list) = &self.egress {
            let wrong = list.iter().find_map(|text| Some((text, crate::egress::Allowed::read(text).err()?)));
            if let Some((text, why)) = wrong {
                return Some(format!("egress allows {text:?}: {why}"));
            }
        }
        if self.egress.is_recorded() && self.net == Host {
            let why = "with the host's network, attempts succeed";
            return Some(format!("egress contradicts net = \"host\": {why}; leave one of the two out"));
        }
        if self.pcap != Pcap::Never && self.net == Host {
            let why = "what goes over the host's network is not the test's to keep";
            return Some(format!("pcap contradicts net = \"host\": {why}; leave one of the two out"));
        }
        if self.uplink && self.net == Host {
            let why = "the test is in the machine's network already";
            return Some(format!("uplink = true contradicts net = \"host\": {why}; leave one of the two out"));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Namespace, Pcap, Pid1, Spec};

    #[test]
    fn a_contradiction_names_both_sides() {
        let of = |spec: Spec| spec.contradiction().unwrap_or_default();
        let spec = Spec::default;
        assert_eq!(of(spec()), "");
        assert!(of(spec().mount(Namespace::Host)).starts_with("mount = \"host\" contradicts pid = \"isolated\""));
        assert_eq!(of(spec().mount(Namespace::Host).pid(Namespace::Host)), "");
        assert!(of(spec().pid1(Pid1::Test).pid(Namespace::Host)).starts_with("init = false contradicts pid"));
        assert!(of(spec().hostname("db-1").uts(Namespace::Host)).starts_with("hostname contradicts uts"));
        assert_eq!(of(spec().uts(Namespace::Host)), "");
        assert!(of(spec().net(Namespace::Host).pcap(Pcap::Failed)).starts_with("pcap contradicts net"));
        assert_eq!(of(spec().net(Namespace::Host).pcap(Pcap::Never)), "");
        assert!(of(spec().uplink(true).net(Namespace::Host)).starts_with("uplink = true contradicts net = \"host\""));
        assert_eq!(of(spec().uplink(true)), "");
    }
}
