//! The way to the machine of those who may not change its network: pasta, which carries connections over by sockets of its own,
//! `pasta(1)`.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{INTERFACE, Through, Way, WayByIpv6, networks, veth, warden};
use crate::lab::error::{Error, Result};
use crate::sys::process::{SingleThreaded, start_to_die_with_us};

/// A pasta that runs.
#[derive(Debug)]
pub(super) struct Pasta {
    pub(super) way: Way,
    process: Child,
    /// Where it says that it is ready. It is not to find that closed.
    _said: BufReader<ChildStdout>,
}

impl Drop for Pasta {
    fn drop(&mut self) {
        self.process.kill().ok(); // It may have ended by itself.
        self.process.wait().ok();
    }
}

const ATTEMPT: &str = "connecting the lab to the machine by pasta";

/// Connects this network namespace, which belongs to that user namespace.
pub(super) fn connect(proof: &SingleThreaded, network: BorrowedFd<'_>, users: BorrowedFd<'_>) -> Result<Pasta> {
    let program = find()?;
    may_use_tun()?;
    // The machine knows nothing of it, so all labs may have the same.
    let [routed, routed6] = veth::routes()?;
    let (machine, lab) = networks::choose(0, &routed)?;
    let ipv6 = WayByIpv6::choose(0, &routed6);
    let failed = |error: std::io::Error| Error::io(ATTEMPT, &error);
    let mut complaints: File =
        memfd_create(c"pasta", MFdFlags::MFD_CLOEXEC).map_err(|errno| failed(errno.into()))?.into();
    let mut command = Command::new(&program);
    command.args(arguments(machine, lab, ipv6.as_ref())).arg("--userns").arg(path_of(users));
    // When it opens this it is in that user namespace, and may not look at our descriptors any more.
    let network = network.try_clone_to_owned().map_err(failed)?;
    command
        .args(["--netns", "/proc/self/fd/0"])
        .stdin(network)
        .stdout(Stdio::piped())
        .stderr(complaints.try_clone().map_err(failed)?);
    start_to_die_with_us(&mut command);
    // It opens the user namespace by our descriptor, which takes no fewer rights than we have (`ptrace(2)`), and gives its own up
    // first. Ours did not suffice for anything.
    crate::sys::capability::restrict(0).map_err(|errno| failed(errno.into()))?;
    let mut process = command.spawn().map_err(failed)?;
    let mut said = BufReader::new(process.stdout.take().expect("it was piped"));
    let mut ready = String::new();
    let read = said.read_line(&mut ready);
    let way = Way { address: lab, length: networks::LENGTH, machine, ipv6, through: Through::Pasta };
    let pasta = Pasta { way, process, _said: said };
    match read {
        Ok(1..) => {
            // Two, as one of them may be killed and this process after it.
            for _ in 0..2 {
                warden::over(proof, pasta.process.id()).map_err(|errno| failed(errno.into()))?;
            }
            Ok(pasta)
        }
        _ => {
            drop(pasta);
            Err(refused(&mut complaints))
        }
    }
}

/// No ports but those asked for from inside, and a sign when it is ready: the number of its process.
fn arguments(machine: Ipv4Addr, lab: Ipv4Addr, ipv6: Option<&WayByIpv6>) -> Vec<String> {
    let fixed = "--foreground --pid /dev/stdout --no-netns-quit --mtu 1500 -t none -u none -T none -U none";
    let mut arguments: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
    let chosen = [
        ("--ns-ifname", INTERFACE.to_owned()),
        ("--address", lab.to_string()),
        ("--netmask", networks::LENGTH.to_string()),
        ("--gateway", machine.to_string()),
    ];
    arguments.extend(chosen.into_iter().flat_map(|(option, value)| [option.to_owned(), value]));
    match ipv6 {
        None => arguments.push("--ipv4-only".to_owned()),
        Some(way) => {
            let chosen = [("--address", way.address), ("--gateway", way.machine)];
            arguments.extend(chosen.into_iter().flat_map(|(option, value)| [option.to_owned(), value.to_string()]));
        }
    }
    arguments
}

fn path_of(namespace: BorrowedFd<'_>) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), namespace.as_raw_fd())
}

fn find() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join("pasta")).find(|program| program.is_file());
    found.ok_or_else(|| {
        let cause =
            "this user may not change the machine's network, and pasta, which needs no right to, is not installed";
        Error::new("connecting the lab to the machine", cause)
            .remedy("install it (`apt-get install passt`), or run the tests as root (CAP_NET_ADMIN)")
    })
}

fn may_use_tun() -> Result<()> {
    const TUN: &str = "/dev/net/tun";
    let remedy = |kind| match kind {
        ErrorKind::PermissionDenied => "let this user read and write it (`chmod 666 /dev/net/tun`, as root)",
        _ => "have the device (`modprobe tun`, or `docker run --device /dev/net/tun`)",
    };
    let opened = File::options().read(true).write(true).open(TUN);
    opened.map(drop).map_err(|error| {
        Error::new(ATTEMPT, format!("pasta needs {TUN}: {error}"))
            .remedy(format!("{}, or run the tests as root", remedy(error.kind())))
    })
}

fn refused(complaints: &mut File) -> Error {
    let mut text = String::new();
    complaints.rewind().and_then(|()| complaints.read_to_string(&mut text)).ok(); // Without its words: no words.
    // Where there is no system log, every other line says so.
    let words: Vec<_> = text.lines().filter(|line| !line.ends_with("to syslog") && !line.is_empty()).collect();
    Error::new(ATTEMPT, format!("it ended at once, saying {:?}", words.join("; ")))
        .remedy("it takes a machine with an IPv4 default route; or run the tests as root")
}
