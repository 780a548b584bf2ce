//! Which files do the tests need to run?
//!
//! The test binaries; their package's programs (`CARGO_BIN_EXE_*`) and what its build script wrote (`OUT_DIR`); and the shared
//! libraries that cargo built, that build scripts told the linker of, or that rustc comes with; and what `archive.include` names.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::contents::Contents;
use crate::compile::Built;
use crate::config::{ArchiveInclude, OnMissing};
use crate::report::terminal;

/// Names in the archive, and where what they name lies. Symbolic links are followed, so that no archive has any.
#[derive(Debug, Default)]
pub(super) struct Files(pub(super) BTreeMap<PathBuf, PathBuf>);

impl Files {
    /// How many are no directories.
    pub(super) fn regular(&self) -> usize {
        self.0.values().filter(|path| path.is_file()).count()
    }
}

/// Finds them, and these.
pub(super) fn files(built: &Built, contents: &Contents, included: &[ArchiveInclude]) -> Result<Files, String> {
    let mut gathered = Gathered { contents, files: Files::default() };
    for binary in &built.binaries {
        gathered.file(&binary.executable)?;
        for (name, value) in &binary.environment {
            match name.as_str() {
                "OUT_DIR" => gathered.all_below(Path::new(value), None, &mut Vec::new())?,
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
    for include in included {
        gathered.include(&built.target_directory, include)?;
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

    /// What the configuration asks for.
    fn include(&mut self, target: &Path, include: &ArchiveInclude) -> Result<(), String> {
        let path = Path::new(&include.path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(format!("archive.include names {:?}, which is not below the target directory", include.path));
        }
        let path = target.join(path);
        let missing = || format!("archive.include names {}, which is not there", path.display());
        match (path.is_dir(), path.is_file(), include.on_missing) {
            (true, _, _) => self.all_below(&path, include.depth, &mut Vec::new()),
            (_, true, _) => self.file(&path),
            (_, _, OnMissing::Error) => Err(missing()),
            (_, _, OnMissing::Warn) => {
                terminal::warning(&missing());
                Ok(())
            }
            (_, _, OnMissing::Ignore) => Ok(()),
        }
    }

    /// A directory and what is in it, so many directories deep. `above` are those that it is in, by their real names: a link may
    /// lead back.
    fn all_below(&mut self, directory: &Path, depth: Option<usize>, above: &mut Vec<PathBuf>) -> Result<(), String> {
        let failed = |error: io::Error| format!("{}: {error}", directory.display());
        let real = directory.canonicalize().map_err(failed)?;
        if above.contains(&real) {
            return Ok(());
        }
        self.file(directory)?;
        if depth == Some(0) {
            return Ok(());
        }
        above.push(real);
        for entry in fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => self.all_below(&path, depth.map(|depth| depth - 1), above)?,
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
