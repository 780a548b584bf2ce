//! What does the configuration ask for where a test does not ask for itself?
//!
//! A [`SpecPatch`] is a list of named changes to a [`Spec`], each with who asked for it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use isotest::runner::Allowed;
use isotest::{Egress, Namespace, Pcap, Pid1, Policy, Spec, User};

use super::layer::{Source, Sourced};
use super::mistake::Mistake;
use super::reader::{Table, Value};
use super::shown;
use super::shown::Row;
use super::units;

/// What of a spec to change. The names are those of the keys; a variable's is `env.NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpecPatch {
    changes: BTreeMap<String, Sourced<Change>>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Whether there is a sandbox at all.
    Isolation(bool),
    /// Whose network.
    Net(Namespace),
    /// Whose mounts.
    Mount(Namespace),
    /// Whose processes.
    Pid(Namespace),
    /// Whose host name.
    Uts(Namespace),
    /// Whose queues and shared memory.
    Ipc(Namespace),
    /// The host name.
    Hostname(String),
    /// The size of each private tmpfs.
    Tmp(u64),
    /// The identity.
    User(User),
    /// PID 1.
    Pid1(Pid1),
    /// How many processes and threads.
    Processes(u64),
    /// After how long everything is killed.
    Timeout(Option<Duration>),
    /// What left-overs mean.
    Leaks(Policy),
    /// What an attempt to leave the sandbox means.
    Egress(Egress),
    /// Of which runs packets are kept.
    Pcap(Pcap),
    Uplink(bool),
    /// A variable.
    Env(String, String),
}

/// What every `#[isotest]` has asked for by being one. No configuration takes it away.
const ASKED_BY_EVERY_ATTRIBUTE: [&str; 6] = ["isolation", "net", "mount", "pid", "uts", "ipc"];

impl SpecPatch {
    /// One change.
    pub(crate) fn set(&mut self, change: Change, source: Source) {
        self.changes.insert(change.name(), Sourced { value: change, source });
    }

    /// Takes from a weaker patch what this one does not change. Who shares the host's network takes nothing that needs another: in the
    /// same place both would be a contradiction.
    pub(crate) fn over(mut self, weaker: &SpecPatch) -> SpecPatch {
        let shares = self.changes.get("net").is_some_and(|net| net.value == Change::Net(Namespace::Host));
        for (name, change) in &weaker.changes {
            if !(shares && change.value.needs_own_network()) {
                self.changes.entry(name.clone()).or_insert_with(|| change.clone());
            }
        }
        self
    }

    /// Whether there is anything to change.
    pub(crate) fn says_anything(&self) -> bool {
        self.changes().next().is_some()
    }

    /// Changes `spec`, except for what the test's attribute has `written` (names as in the configuration) and the command line does not overrule. What comes out may be a contradiction: see [`Spec::contradiction`].
    pub(crate) fn apply(&self, spec: &mut Spec, written: &[&str]) {
        let free = |name: &str| !written.contains(&name);
        // A name for a host that the attribute shares, or a PID 1 among its processes, would contradict the attribute.
        let renames_nothing = spec.uts == Namespace::Host && !free("uts");
        let replaces_nothing = spec.pid == Namespace::Host && !free("pid");
        let gets_own_network =
            |net: &Sourced<Change>| net.source == Source::CommandLine && net.value == Change::Net(Namespace::Isolated);
        let sees_nothing =
            spec.net == Namespace::Host && !free("net") && !self.changes.get("net").is_some_and(gets_own_network);
        for (name, Sourced { value, source }) in self.changes() {
            let typed = *source == Source::CommandLine;
            if !typed && (!free(name) || sees_nothing && value.needs_own_network()) {
                continue;
            }
            match value.clone() {
                Change::Isolation(_) => {} // Not a matter of the spec: see `isolation`.
                Change::Net(whose) => spec.net = whose,
                Change::Mount(whose) => spec.mount = whose,
                Change::Pid(whose) => spec.pid = whose,
                Change::Uts(whose) => spec.uts = whose,
                Change::Ipc(whose) => spec.ipc = whose,
                Change::Hostname(_) if renames_nothing && !typed => {}
                Change::Hostname(name) => spec.hostname = name,
                Change::Tmp(bytes) => spec.tmp = bytes,
                Change::User(user) => spec.user = user,
                Change::Pid1(_) if replaces_nothing && !typed => {}
                Change::Pid1(pid1) => spec.pid1 = pid1,
                Change::Processes(processes) => spec.processes = processes,
                Change::Timeout(timeout) => spec.timeout = timeout,
                Change::Leaks(policy) => spec.leaks = policy,
                Change::Egress(egress) => spec.egress = egress,
                Change::Pcap(pcap) => spec.pcap = pcap,
                Change::Uplink(uplink) => spec.uplink = uplink,
                Change::Env(name, _) if !typed && spec.env.iter().any(|(written, _)| *written == name) => {}
                Change::Env(name, value) => spec.env.push((name, value)), // The last of two with one name wins.
            }
        }
    }

    /// Whether a test without an attribute runs in a sandbox, and who said so.
    pub(crate) fn isolation(&self) -> (bool, Source) {
        match self.changes.get("isolation") {
            Some(Sourced { value, source }) => (*value != Change::Isolation(false), source.clone()),
            None => (true, Source::BuiltIn),
        }
    }

    /// All changes by name, with who asked for them.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&str, &Sourced<Change>)> {
        self.changes.iter().map(|(name, change)| (name.as_str(), change))
    }

    /// All that a spec says, with who said so: `configured` where that holds, its attribute where that has `written` it.
    pub(crate) fn rows_of(spec: &Spec, configured: &SpecPatch, written: &[String], wrapped: bool) -> Vec<Row> {
        let said = |name: &str| {
            let by_attribute =
                wrapped && (written.iter().any(|written| written == name) || ASKED_BY_EVERY_ATTRIBUTE.contains(&name));
            match configured.changes.get(name).map(|change| &change.source) {
                Some(Source::CommandLine) => Source::CommandLine,
                _ if by_attribute => Source::Attribute,
                Some(source) => source.clone(),
                None => Source::BuiltIn,
            }
        };
        let env = spec.env.iter().map(|(name, value)| Change::Env(name.clone(), value.clone()));
        let changes = [
            Change::Net(spec.net),
            Change::Mount(spec.mount),
            Change::Pid(spec.pid),
            Change::Uts(spec.uts),
            Change::Ipc(spec.ipc),
            Change::Hostname(spec.hostname.clone()),
            Change::Tmp(spec.tmp),
            Change::User(spec.user),
            Change::Pid1(spec.pid1),
            Change::Processes(spec.processes),
            Change::Timeout(spec.timeout),
            Change::Leaks(spec.leaks),
            Change::Egress(spec.egress.clone()),
            Change::Pcap(spec.pcap),
            Change::Uplink(spec.uplink),
        ];
        let row = |change: Change| {
            let name = change.name();
            let source = said(&name);
            Row { key: format!("spec.{name}"), value: change.to_string(), source }
        };
        changes.into_iter().chain(env).map(row).collect()
    }

    /// What an attribute with these arguments has asked for, by them and by being one.
    pub(crate) fn asked_for(arguments: &[String]) -> Vec<&str> {
        ASKED_BY_EVERY_ATTRIBUTE.into_iter().chain(arguments.iter().map(String::as_str)).collect()
    }
}

impl Change {
    /// Whether it means nothing in the host's network.
    fn needs_own_network(&self) -> bool {
        match self {
            Change::Egress(egress) => matches!(egress, Egress::Record | Egress::Allow(_)),
            Change::Pcap(pcap) => *pcap != Pcap::Never,
            Change::Uplink(uplink) => *uplink,
            _ => false,
        }
    }

    /// Its key.
    pub(crate) fn name(&self) -> String {
        match self {
            Change::Isolation(_) => "isolation".to_owned(),
            Change::Net(_) => "net".to_owned(),
            Change::Mount(_) => "mount".to_owned(),
            Change::Pid(_) => "pid".to_owned(),
            Change::Uts(_) => "uts".to_owned(),
            Change::Ipc(_) => "ipc".to_owned(),
            Change::Leaks(_) => "leaks".to_owned(),
            Change::Egress(_) => "egress".to_owned(),
            Change::Pcap(_) => "pcap".to_owned(),
            Change::Uplink(_) => "uplink".to_owned(),
            Change::Hostname(_) => "hostname".to_owned(),
            Change::Tmp(_) => "tmp".to_owned(),
            Change::User(_) => "user".to_owned(),
            Change::Pid1(_) => "init".to_owned(),
            Change::Processes(_) => "processes".to_owned(),
            Change::Timeout(_) => "timeout".to_owned(),
            Change::Env(name, _) => format!("env.{name}"),
        }
    }
}

/// As it would be written in the configuration.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Isolation(yes) | Change::Uplink(yes) => write!(f, "{yes}"),
            Change::Net(whose)
            | Change::Mount(whose)
            | Change::Pid(whose)
            | Change::Uts(whose)
            | Change::Ipc(whose) => {
                f.write_str(if *whose == Namespace::Isolated { "\"isolated\"" } else { "\"host\"" })
            }
            Change::Leaks(policy) => f.write_str(match policy {
                Policy::Ignore => "\"ignore\"",
                Policy::Warn => "\"warn\"",
                Policy::Fail => "\"fail\"",
            }),
            Change::Egress(Egress::Allow(list)) => write!(f, "{}", toml::Value::from(list.clone())),
            Change::Egress(egress) => f.write_str(match egress {
                Egress::Ignore => "\"ignore\"",
                Egress::Warn => "\"warn\"",
                Egress::Fail => "\"fail\"",
                Egress::Record | Egress::Allow(_) => "\"record\"",
            }),
            Change::Pcap(pcap) => f.write_str(match pcap {
                Pcap::Never => "\"never\"",
                Pcap::Failed => "\"failed\"",
                Pcap::Always => "\"always\"",
            }),
            Change::Hostname(text) | Change::Env(_, text) => toml::Value::from(text.as_str()).fmt(f),
            Change::Tmp(bytes) if bytes % (1 << 20) == 0 => write!(f, "\"{}M\"", bytes >> 20),
            Change::Tmp(bytes) => write!(f, "\"{bytes}\""),
            Change::User(User::Caller) => f.write_str("\"self\""),
            Change::User(User::Root) => f.write_str("\"root\""),
            Change::Pid1(pid1) => write!(f, "{}", *pid1 == Pid1::Init),
            Change::Processes(count) => write!(f, "{count}"),
            Change::Timeout(Some(timeout)) => f.write_str(&shown::duration(*timeout)),
            Change::Timeout(None) => f.write_str("\"never\""),
        }
    }
}

/// Reads a `spec` table.
pub(super) fn read(mut table: Table<'_, '_>, source: &dyn Fn(usize) -> Source) -> SpecPatch {
    let mut patch = SpecPatch::default();
    let mut key = |table: &mut Table<'_, '_>, key: &'static str, read: fn(&Value<'_, '_>) -> Option<Change>| {
        if let Some(value) = table.value(key)
            && let Some(change) = read(&value)
        {
            patch.set(change, source(value.line()));
        }
    };
    key(&mut table, "isolation", |value| value.boolean().map(Change::Isolation));
    key(&mut table, "net", |value| whose(value).map(Change::Net));
    key(&mut table, "mount", |value| whose(value).map(Change::Mount));
    key(&mut table, "pid", |value| whose(value).map(Change::Pid));
    key(&mut table, "uts", |value| whose(value).map(Change::Uts));
    key(&mut table, "ipc", |value| whose(value).map(Change::Ipc));
    key(&mut table, "hostname", hostname);
    key(&mut table, "tmp", tmp);
    key(&mut table, "user", |value| word(value, [("self", User::Caller), ("root", User::Root)]).map(Change::User));
    key(&mut table, "init", |value| {
        value.boolean().map(|init| Change::Pid1(if init { Pid1::Init } else { Pid1::Test }))
    });
    key(&mut table, "processes", processes);
    key(&mut table, "timeout", timeout);
    key(&mut table, "leaks", |value| policy(value).map(Change::Leaks));
    key(&mut table, "egress", egress);
    key(&mut table, "pcap", |value| {
        let words = [("never", Pcap::Never), ("failed", Pcap::Failed), ("always", Pcap::Always)];
        word(value, words).map(Change::Pcap)
    });
    key(&mut table, "uplink", |value| value.boolean().map(Change::Uplink));
    if let Some(variables) = table.read("env", Value::table) {
        for (name, at, value) in variables.named() {
            if name.is_empty() || name.contains(['=', '\0']) {
                value.file.note::<()>(Mistake::new(at, format!("`{name}` cannot be the name of a variable")));
            } else if let Some(text) = value.string() {
                patch.set(Change::Env(name.to_owned(), text.to_owned()), source(value.line()));
            }
        }
    }
    table.finish(&[]);
    patch
}

fn word<T: Copy, const N: usize>(value: &Value<'_, '_>, words: [(&str, T); N]) -> Option<T> {
    let text = value.string()?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    found.or_else(|| value.not_one_of(text, words.iter().map(|(word, _)| *word)))
}

fn whose(value: &Value<'_, '_>) -> Option<Namespace> {
    word(value, [("isolated", Namespace::Isolated), ("host", Namespace::Host)])
}

fn policy(value: &Value<'_, '_>) -> Option<Policy> {
    word(value, [("ignore", Policy::Ignore), ("warn", Policy::Warn), ("fail", Policy::Fail)])
}

fn egress(value: &Value<'_, '_>) -> Option<Change> {
    if value.is_array() {
        let read = |entry: &Value<'_, '_>| {
            let text = entry.string()?;
            match Allowed::read(text) {
                Ok(_) => Some(text.to_owned()),
                Err(why) => entry.wrong("is an address, a network or a name, as in \"10.0.0.0/8:443\"", &why),
            }
        };
        let entries = value.array()?;
        let list: Option<Vec<String>> = entries.iter().map(read).collect();
        return list.map(|list| Change::Egress(Egress::Allow(list)));
    }
    let words =
        [("ignore", Egress::Ignore), ("warn", Egress::Warn), ("fail", Egress::Fail), ("record", Egress::Record)];
    let text = value.string()?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| Change::Egress(meaning.clone()));
    found.or_else(|| value.not_one_of(text, words.iter().map(|(word, _)| *word)))
}

fn hostname(value: &Value<'_, '_>) -> Option<Change> {
    let name = value.string()?;
    if name.is_empty() || name.len() > 64 || name.contains('\0') {
        return value.wrong("is a host name of 1 to 64 bytes", "this is not");
    }
    Some(Change::Hostname(name.to_owned()))
}

fn tmp(value: &Value<'_, '_>) -> Option<Change> {
    let expected = "is a size, as in \"64M\" (K, M, G, T are powers of 1024)";
    match units::size(value.string()?) {
        None => value.wrong(expected, "this is not"),
        Some(0) => value.wrong(expected, "nothing fits in here"),
        Some(bytes) => Some(Change::Tmp(bytes)),
    }
}

fn processes(value: &Value<'_, '_>) -> Option<Change> {
    let count: u64 = value.number("how many processes and threads may exist at once, at least 1")?;
    if count == 0 {
        return value.wrong("is how many processes and threads may exist at once, at least 1", "this is none");
    }
    Some(Change::Processes(count))
}

fn timeout(value: &Value<'_, '_>) -> Option<Change> {
    if value.as_string() == Some("never") {
        return Some(Change::Timeout(None));
    }
    let timeout = value.duration()?;
    if timeout.is_zero() {
        return value.wrong("is a duration, or \"never\"", "a timeout of zero would kill every test");
    }
    Some(Change::Timeout(Some(timeout)))
}
