//! What did a binary answer when it was asked last? With libtest as its harness, the answer is in the file itself, and stays the same as
//! long as that does.

use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::Harness;
use super::heard::Heard;
use crate::compile::Binary;

/// A file that has changed so lately may change again without a trace: kernels mark changes by a clock that ticks every few milliseconds.
const LATELY: Duration = Duration::from_millis(100);

/// Where answers are kept: in a file for each binary.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    directory: PathBuf,
}

/// Which file a binary is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    binary: Own,
    /// That of this program: another one may understand the same answer otherwise.
    reader: Own,
}

/// A file, as it is at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Own {
    path: PathBuf,
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Stands before the texts, on a line of its own.
#[derive(Debug, Serialize, Deserialize)]
struct Heading {
    identity: Identity,
    has_door: bool,
    harness: Harness,
    /// How long each text is.
    lengths: [usize; 3],
}

impl Identity {
    /// That of a file as it is now; to be taken before it is asked.
    pub(super) fn of(executable: &Path) -> io::Result<Identity> {
        static READER: OnceLock<Option<Own>> = OnceLock::new();
        let reader = READER.get_or_init(|| std::env::current_exe().and_then(|path| Own::of(&path)).ok());
        let reader = reader.clone().ok_or(io::ErrorKind::NotFound)?;
        Ok(Identity { binary: Own::of(executable)?, reader })
    }
}

impl Own {
    fn of(path: &Path) -> io::Result<Own> {
        let it: Metadata = fs::metadata(path)?;
        Ok(Own {
            path: path.to_owned(),
            device: it.dev(),
            inode: it.ino(),
            size: it.size(),
            modified: (it.mtime(), it.mtime_nsec()),
            changed: (it.ctime(), it.ctime_nsec()),
        })
    }

    /// Whether it has been so for long enough.
    fn has_settled(&self, now: SystemTime) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let since_1970 = Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0));
        now.duration_since(SystemTime::UNIX_EPOCH + since_1970).is_ok_and(|passed| passed > LATELY)
    }
}

impl Kept {
    /// Beside what else this program remembers.
    pub(crate) fn beside(reports: &Path) -> Kept {
        Kept { directory: reports.join("lists") }
    }

    /// What was heard of this very file, if it is known.
    pub(super) fn read(&self, binary: &Binary, identity: &Identity) -> Option<Heard> {
        let kept = fs::read_to_string(self.path(binary)).ok()?;
        let (heading, texts) = kept.split_once('\n')?;
        let heading: Heading = serde_json::from_str(heading).ok()?;
        if heading.identity != *identity {
            return None;
        }
        let [all, ignored, registry] = heading.lengths;
        let (all, texts) = texts.split_at_checked(all)?;
        let (ignored, texts) = texts.split_at_checked(ignored)?;
        (texts.len() == registry).then(|| Heard {
            has_door: heading.has_door,
            harness: heading.harness,
            all: all.to_owned(),
            ignored: ignored.to_owned(),
            registry: texts.to_owned(),
        })
    }

    /// Keeps it, where it will be the same the next time. Where it can't be kept, it is asked for again then.
    pub(super) fn write(&self, binary: &Binary, identity: Identity, heard: &Heard) {
        // A harness of its own may find its tests where it likes, and a runner may run another program.
        let is_libtest = heard.harness != Harness::None && !binary.has_harness_of_its_own() && binary.runner.is_none();
        if is_libtest && identity.binary.has_settled(SystemTime::now()) {
            self.try_to_write(binary, identity, heard).unwrap_or_default();
        }
    }

    fn try_to_write(&self, binary: &Binary, identity: Identity, heard: &Heard) -> io::Result<()> {
        let Heard { has_door, harness, all, ignored, registry } = heard;
        let lengths = [all, ignored, registry].map(String::len);
        let heading = Heading { identity, has_door: *has_door, harness: *harness, lengths };
        fs::create_dir_all(&self.directory)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        let mut out = io::BufWriter::new(&mut file);
        serde_json::to_writer(&mut out, &heading)?;
        for text in ["\n", all, ignored, registry] {
            out.write_all(text.as_bytes())?;
        }
        out.flush()?;
        drop(out);
        file.persist(self.path(binary))?;
        Ok(())
    }

    /// The same for each build of a binary, so that old answers don't pile up.
    fn path(&self, binary: &Binary) -> PathBuf {
        let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '.' };
        let directory = binary.executable.parent().and_then(Path::parent).and_then(Path::file_name).unwrap_or_default();
        let name: String = format!("{} {}", directory.display(), binary.id).chars().map(plain).collect();
        self.directory.join(name)
    }
}
