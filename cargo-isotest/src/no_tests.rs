//! What if there is no test to run?

use clap::CommandFactory;

use crate::cli::{Cli, Names, NoTests};
use crate::config::nearest;
use crate::exit_code::Code;
use crate::report::terminal::{error, note, warning};

/// Does what was typed for this case. `names` may tell why there is none.
pub(crate) fn end(action: NoTests, names: &Names) -> Code {
    match action {
        NoTests::Pass => return Code::Passed,
        NoTests::Warn => warning("no tests to run"),
        NoTests::Fail => error("no tests to run (--no-tests=pass makes that a success)"),
    }
    if let Some((typed, command)) = mistyped_command(names) {
        note(&format!("`{typed}` was taken for a part of a test's name; the command is `cargo isotest {command}`"));
    } else if let Some(names) = wanted(names) {
        note(&format!("no test {names} (`cargo isotest list` shows all there are)"));
    }
    if action == NoTests::Warn { Code::Passed } else { Code::NoTests }
}

/// What names were to be like, if that was said.
fn wanted(names: &Names) -> Option<String> {
    let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    let ways = [("has a name with ", &names.wanted), ("is called ", &names.wanted_exactly)];
    let said = ways.into_iter().filter(|(_, names)| !names.is_empty());
    let said: Vec<_> = said.map(|(how, names)| format!("{how}{}", quoted(names))).collect();
    (!said.is_empty()).then(|| said.join(", or "))
}

/// What stands where a command would stand, if it is nearly one.
fn mistyped_command(names: &Names) -> Option<(&str, String)> {
    let typed = names.wanted.first()?;
    let commands = Cli::command();
    let known: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
    nearest(typed, &known).map(|command| (typed.as_str(), command.to_owned()))
}
