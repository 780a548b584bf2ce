//! How is what goes over links seen packet by packet? By a file that Wireshark reads, written from a thread of the test.
//!
//! The attribute's `pcap` keeps all packets of a test, from before the first to after the last; what is here is for a part of them.

use std::fs::File;
use std::io::PipeWriter;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns};

use super::error::{Error, Result};
use super::failure;
use super::host::Host;
use super::network::Network;
use super::place::{Place, on_a_thread};
use super::shared::Shared;
use super::topology::{At, Role, Topology};
use super::{Lab, Link, plan};
use crate::recorder::{self, Recorder};
use crate::report::Captured;
use crate::stamps;

/// Packets that are being written into a file, until it is [stopped](Capture::stop) or dropped.
#[derive(Debug)]
pub struct Capture {
    /// Dropping it tells the thread to end.
    running: Option<PipeWriter>,
    thread: Option<JoinHandle<Captured>>,
}

/// A network to look at: that of a node, all of it or one interface.
struct Source {
    node: usize,
    label: String,
    only: Option<usize>,
}

impl Lab {
    /// Writes all packets of all hosts into a file from now on, in the format pcapng, which Wireshark reads. Its interfaces are the
    /// links' ends: a packet from alice to bob is in it twice, as it left `alice eth0` and as it arrived at `bob eth0`; what was lost
    /// on the way is in it once. Those of the test's own network go by their own names. The lab is built, if it is not up yet.
    ///
    /// Files in `/tmp` and its like end with the test. At most 256 MiB are written.
    ///
    /// # Errors
    ///
    /// When the file can't be made, the lab can't be built, or the kernel has no packet sockets.
    pub fn capture(&self, path: impl AsRef<Path>) -> Result<Capture> {
        let all = |topology: &Topology| (0..topology.nodes.len()).map(|node| Source::of(topology, node)).collect();
        capture(&self.shared, path.as_ref(), all)
    }
}

impl Host {
    /// Writes all packets of this host into a file, its `lo` included; else as [`Lab::capture`].
    ///
    /// # Errors
    ///
    /// As [`Lab::capture`].
    pub fn capture(&self, path: impl AsRef<Path>) -> Result<Capture> {
        capture(self.lab(), path.as_ref(), |topology| vec![Source::of(topology, self.node())])
    }
}

impl Link {
    /// Writes all packets of this link into a file, as both ends see them, or the one where a host is; else as [`Lab::capture`].
    ///
    /// # Errors
    ///
    /// As [`Lab::capture`].
    pub fn capture(&self, path: impl AsRef<Path>) -> Result<Capture> {
        let cable = self.cable();
        let ends = |topology: &Topology| {
            let ports = [0, 1].into_iter().filter_map(|end| topology.port(At { cable, end }));
            let source = |port| Some(plan::index(topology, port) as usize);
            ports.map(|port| Source { only: source(port), ..Source::of(topology, port.node) }).collect()
        };
        capture(self.lab(), path.as_ref(), ends)
    }
}

impl Source {
    fn of(topology: &Topology, node: usize) -> Source {
        let it = &topology.nodes[node];
        let label = if it.role == Role::Here { String::new() } else { it.name.clone() };
        Source { node, label, only: None }
    }
}

fn capture(lab: &Shared, path: &Path, sources: impl FnOnce(&Topology) -> Vec<Source>) -> Result<Capture> {
    let attempt = || format!("capturing packets into {}", path.display());
    let failed = |error: std::io::Error| Error::io(attempt(), &error);
    let elsewhere = "name a file in a directory that is there and may be written";
    let network = lab.up(attempt())?;
    let about = path.file_stem().unwrap_or_default().to_string_lossy();
    let file = File::create(path).map_err(|error| failed(error).remedy(elsewhere))?;
    let mut recorder = Recorder::new(file, &about).map_err(failed)?;
    for (source, socket) in open(lab.read(sources), &network)? {
        recorder.add(socket, source.label, source.only);
    }
    let (stopped, running) = std::io::pipe().map_err(failed)?;
    let thread = std::thread::Builder::new().name("lab-capture".to_owned());
    let thread = thread.spawn(move || record(recorder, &stopped)).map_err(failed)?;
    Ok(Capture { running: Some(running), thread: Some(thread) })
}

/// Opens a socket in each network.
fn open(sources: Vec<Source>, network: &Network) -> Result<Vec<(Source, OwnedFd)>> {
    let open = |source: Source| {
        let place: &Place = &network.places[source.node];
        let entered = setns(place.network(), CloneFlags::CLONE_NEWNET);
        let socket = entered.and_then(|()| recorder::open());
        let failed = |errno| {
            let error = Error::kernel(format!("opening a packet socket in `{}`", source.label), errno);
            error.unless_kernel_has(errno, "af_packet", "CONFIG_PACKET")
        };
        let socket = socket.map_err(failed)?;
        Ok((source, socket))
    };
    on_a_thread("lab-capture", || {
        let stamps = stamps::wait();
        let _stamps =
            stamps.map_err(|errno| Error::kernel("waiting until the kernel notes when packets come", errno))?;
        sources.into_iter().map(open).collect()
    })
}

/// Writes what comes, until nobody holds the other end of `stopped`.
fn record(mut recorder: Recorder, stopped: &impl AsFd) -> Captured {
    loop {
        let sources: Vec<_> = [stopped.as_fd()].into_iter().chain(recorder.sockets()).collect();
        let mut sources: Vec<_> = sources.into_iter().map(|source| PollFd::new(source, PollFlags::POLLIN)).collect();
        let timeout = recorder.patience().map(|patience| PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX));
        poll(&mut sources, timeout.unwrap_or(PollTimeout::NONE)).ok(); // Interrupted or not: it looks again.
        let is_over = sources[0].any() == Some(true);
        drop(sources);
        if is_over {
            return recorder.finish();
        }
        recorder.take();
    }
}

impl Capture {
    /// Ends it, with what has been sent so far in the file; tells what that comes to.
    #[must_use = "a capture that missed packets says so"]
    pub fn stop(mut self) -> Captured {
        match self.end() {
            Some(Ok(captured)) => captured,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Captured::default(),
        }
    }

    fn end(&mut self) -> Option<std::thread::Result<Captured>> {
        drop(self.running.take());
        Some(self.thread.take()?.join())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if let Some(Err(_)) = self.end() {
            failure::note("who captured packets of the lab has panicked: their file is not whole".to_owned());
        }
    }
}
