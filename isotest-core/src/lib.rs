//! `#[isotest]` gives a test a machine of its own: fresh PID, network, mount, UTS, IPC and user namespaces, a private
//! tmpfs and a reaping init, for about a millisecond, without root.
//!
//! The crate in reading order, which is the way data flows: `spec` (what a test asks for) → `plan` (in what order) →
//! `server` (clones a sandbox) ⇒ `init` (carries it out) → `protocol` → `outcome`. `entry` is what the attribute calls,
//! `mirror` and `client` its way to the server, `sys` the only unsafe code.

mod spec;

#[cfg(target_os = "linux")]
mod captures;
#[cfg(target_os = "linux")]
mod client;
#[cfg(target_os = "linux")]
mod coverage;
#[cfg(target_os = "linux")]
mod diagnose;
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only what runs a test asks"))]
mod egress;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod entry;
#[cfg(target_os = "linux")]
mod harness;
#[cfg(all(target_os = "linux", feature = "lab"))]
mod hatch;
#[cfg(target_os = "linux")]
mod hold;
#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod init;
mod isolated;
#[cfg(target_os = "linux")]
mod judge;
#[cfg(target_os = "linux")]
mod keep;
#[cfg(all(target_os = "linux", feature = "lab"))]
pub mod lab;
#[cfg(all(target_os = "linux", feature = "lab"))]
mod ledger;
#[cfg(target_os = "linux")]
mod lines;
#[cfg(target_os = "linux")]
mod mirror;
#[cfg(all(target_os = "linux", feature = "lab"))]
mod netlink;
#[cfg(all(target_os = "linux", feature = "lab"))]
mod nft;
#[cfg(target_os = "linux")]
mod no_route;
#[cfg(target_os = "linux")]
mod outcome;
#[cfg(target_os = "linux")]
mod own;
#[cfg(target_os = "linux")]
mod patient;
#[cfg(target_os = "linux")]
mod pcapng;
#[cfg(target_os = "linux")]
mod plan;
#[cfg(target_os = "linux")]
mod protocol;
#[cfg(target_os = "linux")]
mod recorder;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod reprint;
#[cfg(target_os = "linux")]
mod restrictions;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod setup;
#[cfg(target_os = "linux")]
mod stamps;
#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
mod test_process;
#[cfg_attr(not(target_os = "linux"), expect(unreachable_pub, reason = "only the runner reads it from outside"))]
mod unavailable;

pub use egress::Egress;
pub use isotest_macros::isotest;
pub use isotest_macros::isotest as test;
pub use spec::{Namespace, Pcap, Pid1, Policy, Spec, User};

/// What generated code calls. Not part of the public interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    #[cfg(not(target_os = "linux"))]
    pub use crate::elsewhere::{Verdict, run, run_should_panic};
    #[cfg(target_os = "linux")]
    pub use crate::entry::{Verdict, run, run_should_panic};
    pub use crate::isolated::{IsolatedTest, finish};
    pub use std::process::ExitCode;
}

/// What `cargo isotest` is built on. Not part of the public interface: it changes without notice.
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod runner {
    pub use crate::captures::{Captive, Capture};
    pub use crate::client::{Client, Pending, Started};
    pub use crate::diagnose::explain;
    pub use crate::egress::{Allowed, Destination};
    pub use crate::harness::Filter;
    pub use crate::hold::is_asked as failed_tests_are_held;
    pub use crate::judge::{Judgement, Note, Subject, judge};
    pub use crate::keep::of_a_test;
    pub use crate::lines::{Lines, PATIENCE};
    pub use crate::outcome::{End, Failure, Outcome, Stage, Word, unsatisfied};
    pub use crate::patient::{patiently, write_all};
    pub use crate::protocol::{Isolation, Known, Leftovers, Order, Program, Run, Target};
    pub use crate::report::{
        Captured, Destinations, InForce, Kind, LeftFiles, LeftOver, Port, Process, Protocol, Report, Tried, Usage,
    };
    pub use crate::test_process::harness_arguments;
    pub use crate::unavailable::Unavailable;

    /// Makes the linker keep the door in this program.
    pub fn link_door() {
        crate::sys::door::link();
    }
}
