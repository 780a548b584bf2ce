//! What is there to report when the test process has ended?

use nix::errno::Errno;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use std::path::Path;
use std::time::Duration;

use super::census::Census;
use super::litter::Clean;
use super::{Sandbox, describe, isolated};
use crate::no_route;
use crate::outcome::{End, Failure, Stage};
use crate::report::{Destinations, InForce, Kind, LeftFiles, LeftOver, Report, Usage};
use crate::sys::word::SharedWord;
use crate::{Egress, Namespace, Policy, Spec};

/// Looks at what the test has left, used and tried. What its spec ignores is not looked at.
pub(super) fn take(sandbox: &Sandbox<'_>, end: End, word: &SharedWord, census: &Census, clean: &Clean) -> Report {
    let Spec { leaks, net, ref egress, .. } = sandbox.run.spec;
    // What init has to end was not given the time to clean up.
    let ended_by_itself = matches!(end, End::Exited(_) | End::Signalled(_));
    let leaks_matter = ended_by_itself && leaks != Policy::Ignore;
    let egress_matters = isolated(sandbox) && net == Namespace::Isolated && *egress != Egress::Ignore;
    let (attempts, unseen) = match egress_matters.then(|| no_route::sent(Path::new("self/net"))).transpose() {
        Ok(attempts) => (attempts, None),
        Err(errno) => {
            let step = "counting attempts to leave".to_owned();
            (Some(0), Some(Failure { step, stage: Stage::Other, errno: errno as i32 }))
        }
    };
    reap_the_dead();
    Report {
        end,
        word: word.said(),
        isolation: in_force(sandbox),
        left_over: if leaks_matter { left_over(census) } else { LeftOver::default() },
        files: if leaks_matter { clean.compare(sandbox.plan) } else { LeftFiles::default() },
        egress: attempts,
        egress_unseen: unseen,
        labs: word.left(),
        captured: None,
        destinations: Destinations::default(),
        usage: usage(),
    }
}

/// What init has for children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Children {
    Living,
    None,
}

pub(super) fn reap_the_dead() -> Children {
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return Children::Living,
            Err(Errno::ECHILD) => return Children::None,
            // nix does not know real-time signals: the process they killed is gone all the same.
            Ok(_) | Err(_) => {}
        }
    }
}

fn left_over(census: &Census) -> LeftOver {
    let survivors = census.survivors();
    let described = survivors.iter().take(LeftOver::DESCRIBED);
    LeftOver {
        count: survivors.len(),
        processes: described.filter_map(|process| describe::describe(*process)).collect(),
    }
}

/// Of all whose end init has waited for: the test, and orphans. Each carries with it whom it has waited for.
fn usage() -> Usage {
    let Ok(children) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return Usage::default() };
    let time = |time: TimeVal| {
        Duration::from_secs(time.tv_sec().cast_unsigned()) + Duration::from_micros(time.tv_usec().cast_unsigned())
    };
    Usage {
        user: time(children.user_time()),
        system: time(children.system_time()),
        peak_memory: children.max_rss().cast_unsigned().saturating_mul(1024),
    }
}

fn in_force(sandbox: &Sandbox<'_>) -> InForce {
    if !isolated(sandbox) {
        return InForce::default();
    }
    let Spec { net, mount, pid, uts, ipc, .. } = sandbox.run.spec;
    let asked_for = [(pid, Kind::Pid), (mount, Kind::Mnt), (net, Kind::Net), (uts, Kind::Uts), (ipc, Kind::Ipc)];
    let own = asked_for.into_iter().filter(|(whose, _)| *whose == Namespace::Isolated).map(|(_, kind)| kind);
    let user = sandbox.user_namespace.then_some(Kind::User);
    InForce { namespaces: user.into_iter().chain(own).collect(), real_root: !sandbox.user_namespace }
}
