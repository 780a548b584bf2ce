//! Is isotest linked into a binary, so that it has a door? Asked of the file, because a binary without a door that is
//! started runs its own `main`, and that may do anything.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The section in which the library keeps the list of its tests.
const SECTION: &[u8] = b"isotest_tests";

/// Whether the file has it, as far as it can be read.
pub(super) fn is_linked(executable: &Path) -> bool {
    File::open(executable).and_then(|file| has_section(&file, SECTION)).unwrap_or(false)
}

/// Looks through the names of the sections of an ELF file of 64 bits, `elf(5)`, in this machine's order of bytes.
fn has_section(file: &File, wanted: &[u8]) -> io::Result<bool> {
    let header = read(file, 0, 64)?;
    if !header.starts_with(b"\x7fELF\x02") {
        return Ok(false);
    }
    let [table, size, names] = [(40, 8), (58, 2), (62, 2)].map(|(at, length)| number(&header[at..at + length]));
    let names = read(file, table + names * size, 64)?;
    let [offset, length] = [24, 32].map(|at| number(&names[at..at + 8]));
    let names = read(file, offset, length.min(LONGEST))?;
    Ok(names.split(|byte| *byte == 0).any(|name| name == wanted))
}

/// More than the names of a binary's sections take. What claims to be longer is no such file.
const LONGEST: u64 = 1 << 20;

fn read(file: &File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

fn number(bytes: &[u8]) -> u64 {
    let mut all = [0; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(all)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{File, SECTION, has_section, is_linked};

    #[test]
    fn this_program_has_a_door() {
        // That of the runner itself, whose tests these are.
        isotest::runner::link_door();
        let own = std::env::current_exe().expect("it is known");
        assert!(has_section(&File::open(&own).expect("it is there"), b".text").expect("it is an ELF file"));
        assert!(!has_section(&File::open(&own).expect("it is there"), b".no-such-section").expect("it is an ELF file"));
    }

    #[test]
    fn what_is_no_binary_has_none() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        for text in ["", "#!/bin/sh\nisotest_tests\n", &format!("\x7fELF\x02{}", "isotest_tests".repeat(10))] {
            file.as_file_mut().set_len(0).expect("it can be written");
            file.write_all(text.as_bytes()).expect("it can be written");
            assert!(!is_linked(file.path()), "{text:?}");
        }
        assert!(!SECTION.is_empty());
    }
}
