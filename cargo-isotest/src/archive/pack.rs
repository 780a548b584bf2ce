//! How is an archive written? As a tar file, compressed by zstd, with a checksum; all at once, or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use tar::{Builder, EntryType, Header, HeaderMode};

use super::contents::{Contents, NAME};
use super::failed;
use super::gather::Files;
use crate::Problem;
use crate::interrupt::Interrupt;
use crate::report::write_at_once;

/// Marks the directory as one that can be made anew; the library looks for it to find what tests need.
const CACHE_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n# Extracted by cargo isotest.\n";

/// Writes it. Gives its length.
pub(super) fn write(
    file: &Path,
    level: i32,
    contents: &Contents,
    files: &Files,
    interrupt: &Interrupt,
) -> Result<u64, Problem> {
    let mut stopped = None;
    let written = write_at_once(file, |to| {
        let mut encoder = zstd::Encoder::new(to, level)?;
        encoder.include_checksum(true)?;
        let mut builder = Builder::new(encoder);
        builder.mode(HeaderMode::Deterministic);
        builder.sparse(false); // Holes are an entry of another kind; compressed they are as small.
        append(&mut builder, NAME, &serde_json::to_vec(contents)?)?;
        append(&mut builder, "target/CACHEDIR.TAG", CACHE_TAG)?;
        for (name, path) in &files.0 {
            if let Err(problem) = interrupt.check("writing the archive") {
                stopped = Some(problem);
                return Err(io::ErrorKind::Interrupted.into());
            }
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            if path.is_dir() {
                builder.append_dir(name, path).map_err(named)?;
            } else {
                builder.append_file(name, &mut File::open(path).map_err(named)?).map_err(named)?;
            }
        }
        builder.into_inner()?.finish()?.flush()
    });
    match (stopped, written) {
        (Some(problem), _) => Err(problem),
        (None, Err(error)) => Err(failed(file, "writing it", &error)),
        (None, Ok(())) => Ok(file.metadata().map_or(0, |metadata| metadata.len())),
    }
}

fn append(builder: &mut Builder<impl Write>, name: &str, text: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(text.len() as u64);
    builder.append_data(&mut header, name, text)
}
