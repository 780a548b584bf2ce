//! Which options come from the environment? An empty variable gives none, as engines of CI write one that is not set, and one
//! that can't be is named itself: nobody finds a mistake in an option that was not typed.

use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, Error, FromArgMatches};

use super::Cli;

impl Cli {
    /// What was typed, and beside it what variables say. Ends the program where that can't be, or where help was asked for.
    pub(crate) fn typed(arguments: impl IntoIterator<Item = OsString>) -> Cli {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        parse(&arguments).unwrap_or_else(|error| error.exit())
    }
}

fn parse(arguments: &[OsString]) -> Result<Cli, Error> {
    // What is wrong here was typed.
    let typed = deaf(Cli::command(), &|_| true).try_get_matches_from(arguments)?;
    let mut command = Cli::command();
    if let Some(name) = typed.subcommand_name() {
        refuse_options_before(name, &typed)?;
        command = deaf_itself(command, &|_| true);
    }
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let mut command = deaf(command, &is_empty);
    let matches = command.try_get_matches_from_mut(arguments).map_err(blaming_the_variable)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The command, deaf to these variables, and its own commands as well.
fn deaf(command: Command, to: &dyn Fn(&OsStr) -> bool) -> Command {
    deaf_itself(command, to).mut_subcommands(|command| deaf(command, to))
}

fn deaf_itself(command: Command, to: &dyn Fn(&OsStr) -> bool) -> Command {
    command.mut_args(|arg| if arg.get_env().is_some_and(to) { arg.env(Resettable::Reset) } else { arg })
}

/// Options before a command are those of `cargo isotest` alone, and would be lost.
fn refuse_options_before(name: &str, typed: &ArgMatches) -> Result<(), Error> {
    let is_option = |arg: &&Arg| typed.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let mut command = Cli::command();
    command.build(); // An argument can't be spelt before.
    let first = command.get_arguments().filter(|arg| !arg.is_global_set()).find(is_option).map(Arg::to_string);
    let Some(option) = first else { return Ok(()) };
    let message = format!("{option} stands before the command: write `cargo isotest {name} {option}`");
    Err(command.error(ErrorKind::ArgumentConflict, message))
}

fn blaming_the_variable(mut error: Error) -> Error {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return error };
    let mut command = Cli::command();
    command.build();
    if let Some(name) = variable_of(&command, option) {
        let named = format!("{name}, the variable for {option}");
        error.insert(ContextKind::InvalidArg, ContextValue::String(named));
    }
    error
}

/// The variable for an option as errors spell it.
fn variable_of(command: &Command, option: &str) -> Option<String> {
    let own = command.get_arguments().find(|arg| arg.to_string() == option).and_then(Arg::get_env);
    let own = own.map(|name| name.to_string_lossy().into_owned());
    own.or_else(|| command.get_subcommands().find_map(|command| variable_of(command, option)))
}
