//! Where do the tests come from: a build, or an archive of one?

use crate::Problem;
use crate::archive::{self, Reused};
use crate::cli::{Cargo, Reuse};
use crate::compile::{Building, Built, Workspace};
use crate::interrupt::Interrupt;

/// One of them.
pub(crate) enum Source {
    Build(Building),
    Archive(Box<Reused>),
}

impl Source {
    /// Has cargo begin to build, or reads the archive.
    pub(crate) fn begin(cargo: &Cargo, reuse: &Reuse, interrupt: &Interrupt) -> Result<Source, Problem> {
        match &reuse.archive_file {
            None => Building::begin(cargo).map(Source::Build),
            Some(file) => archive::reuse(file, reuse, interrupt).map(Box::new).map(Source::Archive),
        }
    }

    /// The workspace, which is known long before a build has ended.
    pub(crate) fn workspace(&mut self, interrupt: &Interrupt) -> Result<&Workspace, Problem> {
        match self {
            Source::Build(building) => building.workspace(interrupt),
            Source::Archive(reused) => Ok(&reused.workspace),
        }
    }

    /// Waits for the end.
    pub(crate) fn finish(self, interrupt: &Interrupt) -> Result<Built, Problem> {
        match self {
            Source::Build(building) => building.finish(interrupt),
            Source::Archive(reused) => Ok(reused.built),
        }
    }
}
