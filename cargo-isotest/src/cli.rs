//! What was typed.

mod cargo;
mod choose;
mod report;
mod run;
mod typed;

pub(crate) use cargo::Cargo;
pub(crate) use choose::{Choose, Names};
pub(crate) use report::{Annotate, Color, MessageFormat, Reporting, ShowProgress, StatusLevel};
pub(crate) use run::{Copies, NoTests, Running};
pub(crate) use typed::{about_tests, about_the_run};

/// Runs every test in a machine of its own.
#[derive(Debug, clap::Parser)]
#[command(name = "cargo isotest", bin_name = "cargo isotest", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Build and run tests (what `cargo isotest` alone does)
    #[command(visible_alias = "r")]
    Run(Box<Run>),
    /// Build tests and list them, with what each asks for
    List(Box<List>),
    /// Print the configuration that holds, and where each setting comes from
    ShowConfig(Box<ShowConfig>),
    /// Print a script that completes this command's options in a shell
    Completions(Completions),
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
    /// Say where each setting comes from
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN", env = "CARGO_TERM_COLOR", default_value = "auto", help_heading = "Output")]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) configuration: Configuration,
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
    /// The profile in it [default: `default`]
    #[arg(long, short = 'P', value_name = "NAME", env = "ISOTEST_PROFILE")]
    pub(crate) profile: Option<String>,
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

/// A length of time, as the configuration has it.
fn typed_duration(text: &str) -> Result<std::time::Duration, String> {
    let example = "a duration is a number and a unit, as in `5s`, `500ms` or `1m 30s`, and more than zero";
    crate::config::duration(text).filter(|duration| !duration.is_zero()).ok_or_else(|| example.to_owned())
}
