//! What was typed.

mod archive;
mod cargo;
mod choose;
mod merge;
mod report;
mod run;
mod typed;
mod variables;

pub(crate) use archive::{Archive, Reuse};
pub(crate) use cargo::Cargo;
pub(crate) use choose::{Choose, Names};
pub(crate) use merge::Merge;
pub(crate) use report::{Annotate, Color, MessageFormat, Reporting, ShowProgress, StatusLevel};
pub(crate) use run::{CommandLine, Copies, NoTests, Running};
pub(crate) use typed::{about_tests, about_the_run};

/// Builds tests through cargo and runs each in a machine of its own: with its own processes, network and /tmp.
#[derive(Debug, clap::Parser)]
#[command(name = "cargo isotest", bin_name = "cargo isotest", version, after_long_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
    /// Taken and needless: nothing is piped through a pager
    #[arg(long, global = true, hide_short_help = true)]
    no_pager: bool,
}

/// The table of README, in short.
const EXIT_CODES: &str = "\
Exit codes:
  0    every test that ran passed
  2    wrong options
  4    no test to run
  94   wrong filterset
  96   wrong configuration
  100  a test failed, or a signal stopped the run
  101  the tests could not be built
  102  the workspace could not be read
  103  the archive could not be made
  104  a test binary could not be asked for its tests
  105  a setup script failed
  110  output could not be written
  120  this machine does not allow the isolation that was asked for
  130  a signal came before the first test";

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Build and run tests (what `cargo isotest` alone does)
    #[command(visible_alias = "r", after_long_help = EXIT_CODES)]
    Run(Box<Run>),
    /// Build tests and list them instead of running them
    List(Box<List>),
    /// Build tests and pack them, to be run on a machine that has neither cargo nor the sources
    Archive(Box<Archive>),
    /// Make one JUnit report, or one timing file, of those of several shards
    Merge(Merge),
    /// Print the configuration that holds, and where each setting comes from
    ShowConfig(Box<ShowConfig>),
    /// Print a script that lets a shell complete commands and options
    Completions(Completions),
    /// Write manual pages
    Man(Man),
}

impl Cli {
    /// What to do; to run tests, unless another command is named.
    pub(crate) fn what_to_do(self) -> Command {
        self.command.unwrap_or_else(|| Command::Run(Box::new(self.run)))
    }
}

/// What to build, which tests to run, how, and what to show.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) choose: Choose,
    #[command(flatten)]
    pub(crate) running: Running,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    #[command(flatten)]
    pub(crate) reuse: Reuse,
    #[command(flatten)]
    pub(crate) cargo: Cargo,
}

/// What to build and which tests to list.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) choose: Choose,
    /// How to print the list
    #[arg(long, short = 'T', value_name = "FORMAT", default_value = "auto", help_heading = "Output")]
    pub(crate) message_format: ListFormat,
    /// Show what holds for each test, and where each setting comes from
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN", env = "CARGO_TERM_COLOR", default_value = "auto", help_heading = "Output")]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    #[command(flatten)]
    pub(crate) reuse: Reuse,
    #[command(flatten)]
    pub(crate) cargo: Cargo,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ListFormat {
    /// `human` in a terminal, `oneline` elsewhere
    #[default]
    Auto,
    /// A tree of binaries and their tests
    Human,
    /// One test a line: binary and name
    Oneline,
    /// One JSON document
    Json,
    /// The same, indented
    JsonPretty,
}

/// Which configuration holds.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct Configuration {
    /// The configuration file [default: .config/isotest.toml in the workspace]
    #[arg(long, value_name = "PATH")]
    pub(crate) config_file: Option<std::path::PathBuf>,
    /// Which of its profiles holds [default: `default`]
    #[arg(long, short = 'P', value_name = "NAME", env = "ISOTEST_PROFILE")]
    pub(crate) profile: Option<String>,
}

impl Configuration {
    /// What is typed to have it again.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let file = self.config_file.iter().flat_map(|file| ["--config-file".to_owned(), file.display().to_string()]);
        let profile = self.profile.iter().flat_map(|profile| ["--profile".to_owned(), profile.clone()]);
        file.chain(profile).collect()
    }
}

/// Whose configuration to print.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ShowConfig {
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    #[command(flatten)]
    pub(crate) cargo: Cargo,
}

/// Which shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell to write for
    pub(crate) shell: clap_complete::Shell,
}

/// Where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Where to write them: `man -M` wants a directory called man1 in the one that it is given
    pub(crate) directory: std::path::PathBuf,
}

/// A length of time, as the configuration has it.
fn typed_duration(text: &str) -> Result<std::time::Duration, String> {
    let example = "a duration is a number and a unit, as in `5s`, `500ms` or `1m 30s`, and more than zero";
    crate::config::duration(text).filter(|duration| !duration.is_zero()).ok_or_else(|| example.to_owned())
}
