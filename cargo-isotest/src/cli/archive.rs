//! What is taken to another machine, and what came from one?

use std::path::PathBuf;

/// Where the tests come from, if nothing is to be built.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Reusing builds")]
pub(crate) struct Reuse {
    /// Take the tests from this archive, which `cargo isotest archive` has made, and build nothing
    #[arg(long, value_name = "PATH", conflicts_with = "Cargo")]
    pub(crate) archive_file: Option<PathBuf>,
    /// The archive's format
    #[arg(long, value_name = "FORMAT", default_value = "auto", requires = "archive_file")]
    pub(crate) archive_format: ArchiveFormat,
    /// Extract to this directory, and leave it there [default: a temporary directory]
    #[arg(
        long, value_name = "DIR", requires = "archive_file",
        conflicts_with_all = ["persist_extract_tempdir", "target_dir_remap"]
    )]
    pub(crate) extract_to: Option<PathBuf>,
    /// Overwrite files that are there already
    #[arg(long, requires = "extract_to")]
    pub(crate) extract_overwrite: bool,
    /// Leave the temporary directory where it is
    #[arg(long, requires = "archive_file", conflicts_with = "target_dir_remap")]
    pub(crate) persist_extract_tempdir: bool,
    /// The workspace lies here, not where it lay when it was built
    #[arg(long, value_name = "DIR", requires = "archive_file")]
    pub(crate) workspace_remap: Option<PathBuf>,
    /// The archive's target directory lies here, because it was extracted before: extract nothing
    #[arg(long, value_name = "DIR", requires = "archive_file")]
    pub(crate) target_dir_remap: Option<PathBuf>,
}

/// What to build, and what to make of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Archive {
    #[command(flatten)]
    pub(crate) packing: Packing,
    #[command(flatten)]
    pub(crate) configuration: super::Configuration,
    #[command(flatten)]
    pub(crate) cargo: super::Cargo,
}

/// What to make.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Archive")]
pub(crate) struct Packing {
    /// The file to write
    #[arg(long, value_name = "PATH")]
    pub(crate) archive_file: PathBuf,
    /// Its format
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) archive_format: ArchiveFormat,
    /// How much to compress, from -7 to 22: more is smaller and slower; 0 is zstd's own default
    #[arg(
        long, value_name = "LEVEL", default_value_t = 0, allow_hyphen_values = true,
        value_parser = clap::value_parser!(i32).range(-7..=22)
    )]
    pub(crate) zstd_level: i32,
}

/// Formats of archives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ArchiveFormat {
    /// As the file's name ends: `.tar.zst`
    #[default]
    Auto,
    /// A tar file compressed by zstd
    TarZst,
}

impl ArchiveFormat {
    /// Whether a file of this name can be one.
    ///
    /// # Errors
    ///
    /// When it says nothing that is known.
    pub(crate) fn of(self, file: &std::path::Path) -> Result<(), String> {
        if self == ArchiveFormat::TarZst || file.to_string_lossy().ends_with(".tar.zst") {
            return Ok(());
        }
        Err(format!(
            "the name {} does not say which format the archive has: let it end in .tar.zst, or add \
             --archive-format tar-zst",
            file.display()
        ))
    }
}
