//! How is one test run and shown, whoever said so?

use crate::cli::OutputWhen;
use crate::patience::Slow;
use crate::retries::Retries;

/// What holds for one test beside its spec.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// How often it is run again when it fails.
    pub(crate) retries: Retries,
    /// How long it is waited for.
    pub(crate) slow: Slow,
    /// How many threads it takes.
    pub(crate) threads: usize,
    /// The limit that it shares with others, by its place among all.
    pub(crate) group: Option<usize>,
    /// The higher, the earlier it starts.
    pub(crate) priority: i8,
    /// When its output is shown if it passes.
    pub(crate) success_output: OutputWhen,
    /// When its output is shown if it fails.
    pub(crate) failure_output: OutputWhen,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            retries: Retries::default(),
            slow: Slow::default(),
            threads: 1,
            group: None,
            priority: 0,
            success_output: OutputWhen::Never,
            failure_output: OutputWhen::Immediate,
        }
    }
}
