//! Refusals that a seccomp filter can make, `seccomp(2)`.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// A filter.
#[derive(Clone, Copy)]
pub(crate) enum Filter {
    /// `docker`: as Docker's default, no namespaces, no mounts.
    Docker,
    /// `users`: no user namespace, everything else allowed.
    Users,
    /// `mounts`: no mount.
    Mounts,
    /// `rewriting`: no file can be opened to be written anew. Ubuntu's AppArmor lets a user namespace be made and takes
    /// the capabilities away that its id maps need, so that the files of the maps can't be opened: this imitates it.
    Rewriting,
}

/// The system calls that are refused, each always or under one of several conditions.
type Refused = Vec<(libc::c_long, Vec<SeccompRule>)>;

impl Filter {
    pub(crate) fn parse(name: &str) -> Option<Filter> {
        match name {
            "docker" => Some(Filter::Docker),
            "users" => Some(Filter::Users),
            "mounts" => Some(Filter::Mounts),
            "rewriting" => Some(Filter::Rewriting),
            _ => None,
        }
    }

    /// Filters stay in force over exec, and in children.
    pub(crate) fn install(self) -> io::Result<()> {
        match self {
            Filter::Docker => {
                // A filter can't look into clone3's argument, which is in memory: Docker makes callers fall back.
                refuse(vec![(libc::SYS_clone3, Vec::new())], libc::ENOSYS)?;
                refuse(docker(), libc::EPERM)
            }
            Filter::Users => {
                refuse(vec![(libc::SYS_clone3, Vec::new())], libc::ENOSYS)?;
                let users = || vec![has_flag(0, libc::CLONE_NEWUSER)];
                refuse(vec![(libc::SYS_clone, users()), (libc::SYS_unshare, users())], libc::EPERM)
            }
            Filter::Mounts => refuse(vec![(libc::SYS_mount, Vec::new())], libc::EPERM),
            Filter::Rewriting => {
                let rewriting = has_flag(2, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC);
                refuse(vec![(libc::SYS_openat, vec![rewriting])], libc::EACCES)
            }
        }
    }
}

fn docker() -> Refused {
    let namespaces = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ];
    let clone = namespaces.map(|flag| has_flag(0, flag)).to_vec();
    let always = [
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_open_tree,
        libc::SYS_move_mount,
    ];
    always.into_iter().map(|call| (call, Vec::new())).chain([(libc::SYS_clone, clone)]).collect()
}

/// Whether all bits of `flag` are set in an argument.
fn has_flag(argument: u8, flag: libc::c_int) -> SeccompRule {
    let flag = u64::from(flag.cast_unsigned());
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(flag), flag)
        .expect("argument 0 to 5");
    SeccompRule::new(vec![condition]).expect("one condition")
}

fn refuse(calls: Refused, errno: libc::c_int) -> io::Result<()> {
    let calls: BTreeMap<_, _> = calls.into_iter().collect();
    let refusal = SeccompAction::Errno(errno.cast_unsigned());
    let target = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, refusal, target).map_err(io::Error::other)?;
    let program: BpfProgram = filter.try_into().map_err(io::Error::other)?;
    apply_filter(&program).map_err(io::Error::other)
}
