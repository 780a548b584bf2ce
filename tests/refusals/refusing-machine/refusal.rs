//! Which ways to refuse are there?

use std::io;
use std::path::PathBuf;

use crate::filter::Filter;
use crate::{bystander, namespaces};

/// One way to refuse.
pub(crate) enum Refusal {
    /// `user=UID`: be that user, in user and mount namespaces of our own. Most other words need this one before them.
    User(u32),
    /// `stranger`: be nobody, in a user namespace that maps no one.
    Stranger,
    /// `mounts`: stay who we are, root, and have mounts of our own.
    Mounts,
    /// `bystander`: another process sees all that was made so far, and nothing that follows.
    Bystander,
    /// `limit=KIND:NUMBER`: this user namespace, with those inside it, may make so many namespaces of the kind.
    Limit { kind: String, number: String },
    /// `cover=PATH`: something else is mounted over it, as containers hide parts of /proc.
    Cover(PathBuf),
    /// `read-only=PATH`: what is there can't be written.
    ReadOnly(PathBuf),
    /// `sysctl=NAME:VALUE`: `/proc/sys/kernel` has that one file and no other.
    Sysctl { name: String, value: String },
    /// `chroot=DIRECTORY`: the root directory is a plain directory in there, with everything that / has.
    Chroot(PathBuf),
    /// `chroot-to-mount=DIRECTORY`: the root directory is that directory, with / mounted on it.
    ChrootToMount(PathBuf),
    /// `filter=NAME`: a seccomp filter.
    Filter(Filter),
}

impl Refusal {
    pub(crate) fn parse(word: &str) -> Result<Refusal, String> {
        let unknown = || format!("unknown word {word:?}");
        Ok(match word.split_once('=').unwrap_or((word, "")) {
            ("user", uid) => Refusal::User(uid.parse().map_err(|_| unknown())?),
            ("stranger", "") => Refusal::Stranger,
            ("mounts", "") => Refusal::Mounts,
            ("bystander", "") => Refusal::Bystander,
            ("limit", pair) => {
                let (kind, number) = pair.split_once(':').ok_or_else(unknown)?;
                Refusal::Limit { kind: kind.to_owned(), number: number.to_owned() }
            }
            ("cover", path) => Refusal::Cover(path.into()),
            ("read-only", path) => Refusal::ReadOnly(path.into()),
            ("sysctl", pair) => {
                let (name, value) = pair.split_once(':').ok_or_else(unknown)?;
                Refusal::Sysctl { name: name.to_owned(), value: value.to_owned() }
            }
            ("chroot", directory) => Refusal::Chroot(directory.into()),
            ("chroot-to-mount", directory) => Refusal::ChrootToMount(directory.into()),
            ("filter", name) => Refusal::Filter(Filter::parse(name).ok_or_else(unknown)?),
            _ => return Err(unknown()),
        })
    }

    pub(crate) fn establish(&self) -> io::Result<()> {
        match self {
            Refusal::User(uid) => namespaces::become_user(*uid),
            Refusal::Stranger => namespaces::become_stranger(),
            Refusal::Mounts => namespaces::separate_mounts(),
            Refusal::Bystander => bystander::leave(),
            Refusal::Limit { kind, number } => namespaces::limit(kind, number),
            Refusal::Cover(path) => namespaces::cover(path),
            Refusal::ReadOnly(path) => namespaces::make_read_only(path),
            Refusal::Sysctl { name, value } => namespaces::pretend_sysctl(name, value),
            Refusal::Chroot(directory) => namespaces::chroot_to_directory(directory),
            Refusal::ChrootToMount(directory) => namespaces::chroot_to_mount(directory),
            Refusal::Filter(filter) => filter.install(),
        }
    }
}
