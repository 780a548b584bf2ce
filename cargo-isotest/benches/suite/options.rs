//! What does the caller want measured, and how thoroughly?

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Seconds for a whole suite, every row.
    Speed,
    /// Peak memory of the runner and of the fork server.
    Memory,
    /// What one waits for in daily work.
    Situations,
    /// Clean builds of a one-test crate.
    Builds,
}

#[derive(Debug)]
pub(crate) struct Options {
    short: bool,
    rounds: Option<usize>,
    jobs: usize,
    only: Vec<Section>,
    markdown: Option<PathBuf>,
}

const USAGE: &str = "options: --short, --rounds N, --jobs N, --only speed|memory|situations|builds, --markdown FILE";

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let cpus = thread::available_parallelism().map_or(2, NonZero::get);
        // A sandbox waits for the kernel now and then: two in flight per CPU keep every CPU busy.
        let mut options = Self { short: false, rounds: None, jobs: 2 * cpus, only: Vec::new(), markdown: None };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--bench" => {}
                "--short" => options.short = true,
                "--rounds" => options.rounds = Some(positive(&value()?)?),
                "--jobs" => options.jobs = positive(&value()?)?,
                "--only" => options.only.push(section(&value()?)?),
                "--markdown" => options.markdown = Some(PathBuf::from(value()?)),
                other => return Err(format!("unknown argument `{other}`; {USAGE}")),
            }
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }

    /// Tests in the small suite.
    pub(crate) fn small(&self) -> usize {
        if self.short { 100 } else { 1_000 }
    }

    /// Tests in the big suite: ten groups, each as large as the small suite.
    pub(crate) fn big(&self) -> usize {
        10 * self.small()
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.short { 3 } else { 7 })
    }

    /// A big suite takes ten times as long and is ten times less at the mercy of a moment.
    pub(crate) fn big_rounds(&self) -> usize {
        self.rounds().div_ceil(2)
    }

    pub(crate) fn build_rounds(&self) -> usize {
        if self.short { 1 } else { 3 }
    }

    /// Tests in flight, the same for every row.
    pub(crate) fn jobs(&self) -> usize {
        self.jobs
    }

    pub(crate) fn markdown(&self) -> Option<&Path> {
        self.markdown.as_deref()
    }
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| format!("`{text}` is not a number above 0"))
}

fn section(name: &str) -> Result<Section, String> {
    match name {
        "speed" => Ok(Section::Speed),
        "memory" => Ok(Section::Memory),
        "situations" => Ok(Section::Situations),
        "builds" => Ok(Section::Builds),
        other => Err(format!("no section `{other}`; {USAGE}")),
    }
}
