//! Which files do the tests need to run?
//!
//! The test binaries; their package's programs (`CARGO_BIN_EXE_*`) and what its build script wrote (`OUT_DIR`); and the shared
//! libraries that cargo built, that build scripts told the linker of, or that rustc comes with.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use crate::compile::Built;

/// Names in the archive, and where what they name lies. Symbolic links are followed, so that no archive has any.
#[derive(Debug, Default)]
pub(super) struct Files(pub(super) BTreeMap<PathBuf, PathBuf>);

impl Files {
    /// How many are no directories.
    pub(super) fn regular(&self) -> usize {
        self.0.values().filter(|path| path.is_file()).count()
    }
}

/// Finds them.
pub(super) fn files(built: &Built, contents: &Contents) -> Result<Files, String> {
    let mut gathered = Gathered { contents, files: Files::default() };
    for binary in &built.binaries {
        gathered.file(&binary.executable)?;
        for (name, value) in &binary.environment {
            match name.as_str() {
                "OUT_DIR" => gathered.all_below(Path::new(value), &mut Vec::new())?,
                "LD_LIBRARY_PATH" => {
                    // What lies beside the binaries themselves is theirs only where cargo says so.
                    let beside = |path: &PathBuf| binary.executable.ancestors().skip(1).take(2).any(|own| own == path);
                    for directory in env::split_paths(value).filter(|path| !beside(path)) {
                        gathered.libraries(&directory)?;
                    }
                }
                name if name.starts_with("CARGO_BIN_EXE_") => gathered.file(Path::new(value))?,
                _ => {}
            }
        }
    }
    for library in &built.dynamic_libraries {
        gathered.file(library)?;
    }
    Ok(gathered.files)
}

struct Gathered<'c> {
    contents: &'c Contents,
    files: Files,
}

impl Gathered<'_> {
    fn file(&mut self, path: &Path) -> Result<(), String> {
        if !path.exists() {
            return Err(format!("{} is not there, although cargo has just built it", path.display()));
        }
        if let Some(name) = self.contents.name_of(path) {
            self.files.0.insert(name, path.to_owned());
        }
        Ok(())
    }

    /// A directory and what is in it. `above` are the directories that it is in, by their real names: a link may lead back.
    fn all_below(&mut self, directory: &Path, above: &mut Vec<PathBuf>) -> Result<(), String> {
        let failed = |error: io::Error| format!("{}: {error}", directory.display());
        let real = directory.canonicalize().map_err(failed)?;
        if above.contains(&real) {
            return Ok(());
        }
        self.file(directory)?;
        above.push(real);
        for entry in fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => self.all_below(&path, above)?,
                Ok(metadata) if metadata.is_file() => self.file(&path)?,
                // A link to nothing, or a socket: neither is anything on another machine.
                _ => {}
            }
        }
        above.pop();
        Ok(())
    }

    /// What the loader may look for in this directory, if it is one that is packed.
    fn libraries(&mut self, directory: &Path) -> Result<(), String> {
        if self.contents.name_of(directory).is_none() || !directory.is_dir() {
            return Ok(());
        }
        let standard = directory == self.contents.standard_libraries;
        for entry in fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            // A toolchain may also have the compiler's own there, which are large.
            let wanted = if standard { name.starts_with("libstd-") || name.starts_with("libtest-") } else { true };
            if wanted && (name.ends_with(".so") || name.contains(".so.")) && path.is_file() {
                self.file(&path)?;
            }
        }
        Ok(())
    }
}
