//! How is an archive read? Whatever is wrong with it is told before anything of it is used; nothing of it leaves the directory that
//! it is extracted to.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Component, Path, PathBuf};

use tar::{Entry, EntryType};

use super::contents::{Contents, NAME};
use crate::Problem;
use crate::exit_code::Code;
use crate::interrupt::Interrupt;

type Reader<'f> = zstd::Decoder<'static, BufReader<&'f File>>;

/// An archive of the right version.
pub(super) struct Opened<'p> {
    path: &'p Path,
    file: File,
    /// What it says about the build.
    pub(super) contents: Contents,
}

impl Opened<'_> {
    /// Reads what stands at its beginning.
    pub(super) fn open(path: &Path) -> Result<Opened<'_>, Problem> {
        const REMEDY: &str = "`cargo isotest archive` makes archives";
        let said = |error: io::Error| wrong(path, &format!("{error}; {REMEDY}"));
        let mut file = File::open(path).map_err(said)?;
        let mut magic = [0; 4];
        let length = file.read(&mut magic).map_err(said)?;
        if magic[..length] != zstd::zstd_safe::MAGICNUMBER.to_le_bytes() {
            return Err(wrong(path, &format!("it is not compressed by zstd, and so no archive; {REMEDY}")));
        }
        let mut archive = tar::Archive::new(decoder(&file).map_err(|error| damaged(path, &error))?);
        let mut entries = archive.entries().map_err(|error| damaged(path, &error))?;
        let first = entries.next().ok_or_else(|| wrong(path, &format!("it is empty; {REMEDY}")))?;
        let mut first = first.map_err(|error| damaged(path, &error))?;
        let name = first.path().map_err(|error| damaged(path, &error))?.into_owned();
        if name != Path::new(NAME) {
            let why = format!("it begins with {} instead of {NAME}, so it was made by another program", name.display());
            return Err(wrong(path, &format!("{why}; {REMEDY}")));
        }
        let mut text = Vec::new();
        first.read_to_end(&mut text).map_err(|error| damaged(path, &error))?;
        let contents = Contents::parse(&text).map_err(|why| wrong(path, &why))?;
        drop(archive);
        Ok(Opened { path, file, contents })
    }

    /// Extracts all below `target` in it to `to/target`.
    pub(super) fn extract(&self, to: &Path, overwrite: bool, interrupt: &Interrupt) -> Result<(), Problem> {
        let doing = format!("extracting the archive {}", self.path.display());
        let mut archive = tar::Archive::new(decoder(&self.file).map_err(|error| damaged(self.path, &error))?);
        archive.set_overwrite(overwrite);
        for entry in archive.entries().map_err(|error| damaged(self.path, &error))? {
            interrupt.check(&doing)?;
            let mut entry = entry.map_err(|error| damaged(self.path, &error))?;
            let name = entry.path().map_err(|error| damaged(self.path, &error))?.into_owned();
            if name == Path::new(NAME) {
                continue;
            }
            if !stays_inside(&name, &entry) || !self.unpack(&mut entry, to)? {
                let why = format!("its entry {} would leave the directory that it is extracted to", name.display());
                return Err(wrong(
                    self.path,
                    &format!("{why}: `cargo isotest archive` writes no such thing, don't use it"),
                ));
            }
        }
        // The checksum comes after what tar takes for the end.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map(drop).map_err(|error| damaged(self.path, &error))
    }

    /// Tells whether it stayed inside.
    fn unpack(&self, entry: &mut Entry<'_, Reader<'_>>, to: &Path) -> Result<bool, Problem> {
        entry.unpack_in(to).map_err(|error| match of_the_kernel(&error) {
            Some(cause) => wrong(self.path, &format!("{error}: {cause}")),
            None => damaged(self.path, &error),
        })
    }
}

fn decoder(mut file: &File) -> io::Result<Reader<'_>> {
    file.rewind()?;
    zstd::Decoder::new(file)
}

/// Files and directories with ordinary names, below `target`.
fn stays_inside(name: &Path, entry: &Entry<'_, Reader<'_>>) -> bool {
    let is_ordinary = |part: Component<'_>| matches!(part, Component::Normal(_));
    let kind = entry.header().entry_type();
    name.starts_with("target")
        && name.components().all(is_ordinary)
        && matches!(kind, EntryType::Regular | EntryType::Directory)
}

/// The kernel's own word, if it is behind the error. Otherwise it is about what was read.
fn of_the_kernel<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e io::Error> {
    match error.downcast_ref::<io::Error>() {
        Some(error) if error.raw_os_error().is_some() => Some(error),
        _ => of_the_kernel(error.source()?),
    }
}

/// It can't be read to its end.
fn damaged(path: &Path, error: &io::Error) -> Problem {
    let mut error: &dyn Error = error;
    while let Some(cause) = error.source() {
        error = cause; // What is in front of it names files that are not there yet.
    }
    wrong(path, &format!("it is cut off or damaged ({error}): copy it again, or make it anew"))
}

/// Why an archive can't be used.
pub(super) fn wrong(path: &Path, why: &str) -> Problem {
    Problem { message: format!("cannot use the archive {}: {why}", path.display()), code: Code::SetupFailed }
}

/// Where an archive was extracted to, or had been before.
#[derive(Debug)]
pub(super) struct Place {
    /// What was the target directory.
    pub(super) target: PathBuf,
    /// Vanishes with this, if it does.
    pub(super) temporary: Option<tempfile::TempDir>,
}
