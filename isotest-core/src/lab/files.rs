//! What does a host see of files: its own /etc/hosts, /etc/resolv.conf, /sys and host name; all else is the test's.
//!
//! Where this machine's C library would ask daemons of the machine for names (`nsswitch.conf(5)`, `nscd(8)`), which answer for the
//! machine's network, it is told to read those files instead.

use std::ffi::CString;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::CloneFlags;
use nix::sys::statvfs::{FsFlags, statvfs};

use super::error::{Error, Result};
use super::internet::{Outside, trust};
use super::names::RESOLVER;
use super::topology::{LOOPBACK, Role, Topology};
use super::whereabouts::Whereabouts;
use crate::plan::Step;
use crate::setup::{Detached, carry_out};
use crate::sys::mount::{move_mount, open_tree};

/// Who is asked for names, and where a daemon that remembers them listens.
const SERVICES: &str = "/etc/nsswitch.conf";
const CACHE: &str = "/var/run/nscd/socket";

/// What a host is to find in files that are the machine's otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Views {
    /// Lines for /etc/hosts that all hosts have.
    pub(crate) hosts: Arc<String>,
    /// What /etc/resolv.conf says.
    pub(crate) resolver: Arc<String>,
    /// Other files, and what they say.
    pub(crate) others: Arc<Vec<(String, String)>>,
    /// Variables for programs.
    pub(crate) variables: Arc<Vec<(&'static str, String)>>,
}

/// What is in each host's /etc/hosts.
#[derive(Debug)]
pub(crate) struct HostsFiles<'t> {
    topology: &'t Topology,
    whereabouts: &'t Whereabouts,
    /// What all say of a host, where they do.
    usual: Vec<Option<String>>,
}

impl HostsFiles<'_> {
    pub(crate) fn of<'t>(topology: &'t Topology, whereabouts: &'t Whereabouts) -> HostsFiles<'t> {
        let mut files = HostsFiles { topology, whereabouts, usual: Vec::new() };
        let usual = |node| whereabouts.is_the_same_to_all(node).then(|| files.lines(0, node));
        files.usual = (0..topology.nodes.len()).map(usual).collect();
        files
    }

    /// Whether one will do for all hosts but those that are alone.
    pub(crate) fn are_one(&self) -> bool {
        self.usual.iter().all(Option::is_some)
    }

    /// That of one host.
    pub(crate) fn known_to(&self, viewer: usize) -> String {
        let mut hosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n".to_owned();
        for (node, it) in self.topology.nodes.iter().enumerate() {
            match &self.usual[node] {
                Some(lines) => hosts.push_str(lines),
                None => hosts.push_str(&self.lines(viewer, node)),
            }
            if node == viewer && self.whereabouts.is_alone(node) {
                hosts.push_str(&own_name(&it.name));
            }
        }
        hosts
    }

    fn lines(&self, viewer: usize, node: usize) -> String {
        let name = &self.topology.nodes[node].name;
        self.whereabouts.known_to(viewer, node).iter().map(|address| format!("{address} {name}\n")).collect()
    }
}

/// Lines by which a host knows itself.
fn own_name(name: &str) -> String {
    LOOPBACK.iter().map(|own| format!("{own} {name}\n")).collect()
}

/// The files that all hosts see; where hosts know others by different addresses, each has an /etc/hosts of its own, and so has who is alone.
pub(crate) fn of(topology: &Topology, hosts: &HostsFiles<'_>, outside: &Outside) -> Result<Views> {
    let hosts = hosts.known_to(0);
    let mut views =
        Views { hosts: Arc::new(hosts), resolver: Arc::new(format!("nameserver {RESOLVER}\n")), ..Views::default() };
    if let (Some(_), Some(certificate)) = (topology.only(Role::Internet), outside.certificate()?) {
        let bundles = trust::bundles();
        views.variables = Arc::new(bundles.first().map(|bundle| trust::variables(bundle)).unwrap_or_default());
        views.others = Arc::new(bundles.into_iter().map(|bundle| (bundle, certificate.clone())).collect());
    }
    Ok(views)
}

/// Gives the calling thread, which is in the host's network, mounts and a host name of its own.
pub(crate) fn furnish(host: &str, views: &Views) -> Result<()> {
    let sys = Path::new("/sys");
    let cgroups = sys.join("fs/cgroup");
    let mut steps = vec![
        Step::Unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS),
        Step::Hostname(host.to_owned()),
        Step::MakePrivate,
    ];
    let read_only = statvfs(sys).is_ok_and(|sys| sys.flags().contains(FsFlags::ST_RDONLY));
    let fresh = Step::Mount { kind: "sysfs", at: sys.into(), read_only };
    if cgroups.is_dir() {
        steps.extend([Step::Detach(cgroups.clone()), fresh, Step::Attach(cgroups)]);
    } else {
        steps.push(fresh);
    }
    carry_out(&steps, &mut Detached::default()).map_err(|failure| {
        Error::kernel(format!("preparing `{host}`: {}", failure.step), nix::errno::Errno::from_raw(failure.errno))
    })?;
    let trees = take(views)?;
    lay(&trees)
}

/// Lays the files over those of the test body itself; says which those are.
pub(crate) fn show_here(views: &Views) -> Result<Vec<String>> {
    let mut views = views.clone();
    if let Some(name) = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()) {
        views.hosts = Arc::new(format!("{}{}", views.hosts, own_name(&name)));
    }
    // Elsewhere, so that nobody in the test finds another /tmp for a moment.
    let take_elsewhere = || {
        let unshared = nix::sched::unshare(CloneFlags::CLONE_NEWNS);
        unshared.map_err(|errno| Error::kernel("preparing files for the test's own network", errno))?;
        take(&views)
    };
    let trees = super::place::on_a_thread("lab-files", take_elsewhere)?;
    lay(&trees)?;
    Ok(trees.into_iter().map(|(over, _)| over).collect())
}

/// Writes the files and takes them as mounts that are attached nowhere. The calling thread's /tmp is another for a moment.
fn take(views: &Views) -> Result<Vec<(String, OwnedFd)>> {
    let shelf = Path::new("/tmp");
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let mounted = mount(Some("tmpfs"), shelf, Some("tmpfs"), safe, Some("size=4M,mode=755"));
    mounted.map_err(|errno| Error::kernel("mounting tmpfs for the lab's files", errno))?;
    let trees = files(views).into_iter().enumerate().map(|(number, (over, text))| {
        let own = shelf.join(number.to_string());
        let written = fs::write(&own, text.as_bytes());
        written.map_err(|error| Error::io(format!("writing the lab's {over}"), &error))?;
        let tree = open_tree(&c_path(&own));
        let tree = tree.map_err(|errno| Error::kernel(format!("taking the lab's {over}"), errno))?;
        Ok((over, tree))
    });
    let trees = trees.collect();
    let unmounted = umount2(shelf, MntFlags::MNT_DETACH);
    unmounted.map_err(|errno| Error::kernel("taking the tmpfs for the lab's files away", errno))?;
    trees
}

/// Each file, and what it is to say.
fn files(views: &Views) -> Vec<(String, String)> {
    let own = [("/etc/hosts", &views.hosts), ("/etc/resolv.conf", &views.resolver)];
    let mut files: Vec<_> = own.map(|(over, text)| (over.to_owned(), text.to_string())).into();
    files.extend(views.others.iter().cloned());
    let services = fs::read_to_string(SERVICES).ok().and_then(|services| plain_services(&services));
    files.extend(services.map(|services| (SERVICES.to_owned(), services)));
    // A file in the place of a socket: nobody can be reached there.
    files.extend(Path::new(CACHE).exists().then(|| (CACHE.to_owned(), String::new())));
    files
}

/// The same with names looked up in files and by DNS alone; `None` if it is so already.
fn plain_services(services: &str) -> Option<String> {
    let plain = |line: &str| {
        let rest = line.trim_start().strip_prefix("hosts:");
        let other = rest.is_some_and(|rest| rest.split_whitespace().ne(["files", "dns"]));
        if other { "hosts: files dns\n".to_owned() } else { format!("{line}\n") }
    };
    let changed: String = services.lines().map(plain).collect();
    let same = changed.lines().eq(services.lines());
    (!same).then_some(changed)
}

fn lay(trees: &[(String, OwnedFd)]) -> Result<()> {
    for (over, tree) in trees {
        // Where it is a symbolic link into a directory that is private here, the link itself is covered.
        let laid = move_mount(tree, &c_path(Path::new(over)));
        laid.map_err(|errno| {
            let error = Error::kernel(format!("laying the lab's file over {over}"), errno);
            let missing = errno == nix::errno::Errno::ENOENT;
            if missing { error.remedy(format!("create {over} on this machine, it may be empty")) } else { error }
        })?;
    }
    Ok(())
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_encoded_bytes()).expect("the paths of this file have no NUL byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_in_files_and_by_dns_alone() {
        let services =
            "passwd: files systemd\nhosts: mymachines resolve [!UNAVAIL=return] files dns\nnetworks: files\n";
        let plain = plain_services(services).expect("it asks others");
        assert_eq!(plain, "passwd: files systemd\nhosts: files dns\nnetworks: files\n");
        assert_eq!(plain_services(&plain), None);
        assert_eq!(plain_services("hosts:\t\tfiles dns"), None);
        assert_eq!(plain_services(""), None);
    }
}
