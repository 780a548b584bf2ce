//! `cargo isotest archive`: what does a machine need that runs the tests and has neither cargo nor the sources? And the way
//! back: from an archive to what a build would have given.
//!
//! An archive holds what lies in the target directory, and a description of the build: [`contents`]. Paths are those of
//! the machine that built; [`places`] says where they are here.

mod contents;
mod gather;
mod pack;
mod places;
mod reuse;
mod unpack;

use std::path::Path;

use crate::cli::{Archive, Choose};
use crate::compile::{self, Building};
use crate::config::{Layer, RunLayer};
use crate::configure::{Configured, Typed};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::{Problem, report};
use contents::Contents;
pub(crate) use reuse::{Reused, reuse};

/// Builds and packs.
pub(crate) fn make(options: &Archive) -> Result<Code, Problem> {
    let Archive { packing, configuration, cargo } = options;
    let file = packing.archive_file.as_path();
    packing.archive_format.of(file).map_err(|message| Problem { message, code: Code::WrongOptions })?;
    let interrupt = Interrupt::watch()?;
    let mut building = Building::begin(cargo)?;
    let typed = Typed { configuration, choose: &Choose::default(), cargo };
    let configured = Configured::of(&typed, building.workspace(&interrupt)?, &interrupt)?;
    let built = building.finish(&interrupt)?;
    built.cargo.wait(&interrupt)?;
    let profile = configured.profile(&built.host_or_target, (RunLayer::default(), Layer::default()))?;
    // Expressions may ask for dependencies where there is no cargo to ask.
    let metadata = compile::with_dependencies(cargo, &interrupt)?;
    let contents = Contents::of(&built, metadata);
    let files = gather::files(&built, &contents, &profile.run.archive_include.value);
    let files = files.map_err(|problem| failed(file, "finding what to pack", &problem))?;
    let size = pack::write(file, packing.zstd_level, &contents, &files, &interrupt)?;
    let binaries = if contents.binaries.len() == 1 { "binary" } else { "binaries" };
    report::terminal::note(&format!(
        "packed {} test {binaries}, {} files in all, to {} ({:.1} MiB)",
        contents.binaries.len(),
        files.regular(),
        file.display(),
        size as f64 / f64::from(1 << 20),
    ));
    Ok(Code::Passed)
}

/// It could not be made.
fn failed(file: &Path, doing: &str, why: &dyn std::fmt::Display) -> Problem {
    Problem {
        message: format!("cannot make the archive {}: {doing}: {why}", file.display()),
        code: Code::ArchiveFailed,
    }
}
