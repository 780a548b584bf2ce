//! What do the shards of a run come to?

use std::path::PathBuf;

/// Which files of shards become one.
#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// Write all JUnit reports among the inputs to this one
    #[arg(long, value_name = "OUT", required_unless_present = "timing_file")]
    pub(crate) junit: Option<PathBuf>,
    /// Write all timing files among the inputs to this one
    #[arg(long, value_name = "OUT")]
    pub(crate) timing_file: Option<PathBuf>,
    /// JUnit reports and timing files, each of another shard
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
}
