//! What is shown?

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use crate::config::{FinalStatusLevel, ShowOutput};

/// What to show, and where else to write it.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Reporting")]
pub(crate) struct Reporting {
    /// Which results to show as they come; each level shows those before it, too [default: pass]
    #[arg(long, value_name = "LEVEL", env = "ISOTEST_STATUS_LEVEL")]
    pub(crate) status_level: Option<StatusLevel>,
    /// Which results to show again at the end; each level shows those before it, too [default: flaky]
    #[arg(long, value_name = "LEVEL", env = "ISOTEST_FINAL_STATUS_LEVEL")]
    pub(crate) final_status_level: Option<FinalStatusLevel>,
    /// When to show the output of tests that fail [default: immediate]
    #[arg(long, value_name = "WHEN", env = "ISOTEST_FAILURE_OUTPUT")]
    pub(crate) failure_output: Option<ShowOutput>,
    /// When to show the output of tests that pass [default: never]
    #[arg(long, value_name = "WHEN", env = "ISOTEST_SUCCESS_OUTPUT")]
    pub(crate) success_output: Option<ShowOutput>,
    /// Show the output of tests as they wrote it, without a margin
    #[arg(long, env = "ISOTEST_NO_OUTPUT_INDENT", value_parser = BoolishValueParser::new())]
    pub(crate) no_output_indent: bool,
    /// How to show progress [default: auto]
    #[arg(long, value_name = "HOW", env = "ISOTEST_SHOW_PROGRESS")]
    show_progress: Option<ShowProgress>,
    /// Show no progress, unless --show-progress says how: an older way to say `--show-progress none`
    #[arg(
        long,
        env = "ISOTEST_HIDE_PROGRESS_BAR",
        value_parser = BoolishValueParser::new(),
        hide_short_help = true
    )]
    hide_progress_bar: bool,
    /// How many running tests to show below the progress bar: a number, or `infinite`
    #[arg(long, value_name = "N", env = "ISOTEST_MAX_PROGRESS_RUNNING", default_value = "8", value_parser = running_shown)]
    pub(crate) max_progress_running: usize,
    /// When to use colours
    #[arg(long, value_name = "WHEN", env = "CARGO_TERM_COLOR", default_value = "auto")]
    pub(crate) color: Color,
    /// Show each test's CPU time, memory and isolation as well
    #[arg(long, short, env = "ISOTEST_VERBOSE", value_parser = BoolishValueParser::new())]
    pub(crate) verbose: bool,
    /// Write a JUnit report to this file
    #[arg(long, value_name = "PATH")]
    pub(crate) junit: Option<PathBuf>,
    /// What to write to standard output for programs; people's report stays on standard error
    #[arg(long, value_name = "FORMAT", default_value = "human", env = "ISOTEST_MESSAGE_FORMAT")]
    pub(crate) message_format: MessageFormat,
    /// Fail if the format is not of this version
    #[arg(long, value_name = "VERSION", env = "ISOTEST_MESSAGE_FORMAT_VERSION")]
    pub(crate) message_format_version: Option<String>,
    /// Show failures at their places in a pull request [default: under GitHub Actions]
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_value = "auto",
        default_missing_value = "always"
    )]
    pub(crate) github_annotations: Annotate,
    /// Write how long each test of this run took to this file, for --timing-file
    #[arg(long, value_name = "PATH")]
    pub(crate) write_timing_file: Option<PathBuf>,
}

/// Who reads standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MessageFormat {
    /// Nothing
    #[default]
    Human,
    /// All that is known, one event a line: see docs/json.md
    Json,
    /// What libtest's unstable JSON form says, as nextest writes it
    LibtestJson,
    /// The same, with nextest's additions
    LibtestJsonPlus,
}

/// Whether failures are annotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Annotate {
    /// Where `GITHUB_ACTIONS` is `true`
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

fn running_shown(text: &str) -> Result<usize, String> {
    match text {
        "infinite" => Ok(usize::MAX),
        number => number.parse().map_err(|_| "it is a number, or infinite".to_owned()),
    }
}

/// When to use colours; `NO_COLOR` and `CLICOLOR_FORCE` are heeded under `auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// In a terminal that can show them
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Each level shows its own results and all those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum StatusLevel {
    /// Nothing
    None,
    /// Failures
    Fail,
    /// And retries
    Retry,
    /// And slow tests
    Slow,
    /// And tests that left something behind or tried to leave
    Leak,
    /// And passed tests
    #[default]
    Pass,
    /// And skipped tests
    Skip,
    /// Everything
    All,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ShowProgress {
    /// `bar` in a terminal outside of CI, else `counter`
    #[default]
    Auto,
    /// Not at all
    None,
    /// A bar with the running tests
    #[value(alias = "running")]
    Bar,
    /// A number in each line
    Counter,
    /// In a terminal, a bar and nothing of tests that pass (`--status-level slow --final-status-level none`); elsewhere
    /// as `auto`
    Only,
}

impl Reporting {
    /// How progress is shown here: `auto` is settled, and `only` stays where it means something.
    pub(crate) fn progress(&self) -> ShowProgress {
        let watched = || std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let unsaid = if self.hide_progress_bar { ShowProgress::None } else { ShowProgress::Auto };
        match self.show_progress.unwrap_or(unsaid) {
            ShowProgress::Auto if watched() => ShowProgress::Bar,
            ShowProgress::Only if watched() => ShowProgress::Only,
            ShowProgress::Auto | ShowProgress::Only => ShowProgress::Counter,
            how => how,
        }
    }
}
