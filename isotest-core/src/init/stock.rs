//! What is there to report when the test process has ended?

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::census::Census;
use super::{Sandbox, isolated};
use crate::outcome::End;
use crate::report::{InForce, Kind, LeftFiles, LeftOver, Report, Usage};
use crate::sys::word::SharedWord;
use crate::{Namespace, Spec};

/// Looks at what the test has left, used and tried.
pub(super) fn take(sandbox: &Sandbox<'_>, end: End, word: &SharedWord, census: Option<&Census>) -> Report {
    let ended_by_itself = matches!(end, End::Exited(_) | End::Signalled(_));
    reap_the_dead();
    let left_over = match census.filter(|_| ended_by_itself) {
        Some(census) => LeftOver { count: census.others(), processes: Vec::new() },
        None => LeftOver::default(),
    };
    Report {
        end,
        word: word.said(),
        isolation: in_force(sandbox),
        left_over,
        files: LeftFiles::default(),
        egress: None,
        usage: Usage::default(),
    }
}

fn reap_the_dead() {
    while let Ok(status) = waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            break;
        }
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
