//! `refusing-machine WORD… -- COMMAND…` becomes COMMAND on a machine that refuses something.
//!
//! Each word is one way to refuse, carried out in the order given; [`refusal`] lists them. All of it happens in
//! namespaces of this process's own, or in filters on it alone: the machine that the tests run on stays as it is.

mod bystander;
mod filter;
mod namespaces;
mod refusal;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use refusal::Refusal;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match become_command(&arguments) {
        Err(problem) => {
            eprintln!("refusing-machine: {problem}");
            ExitCode::from(125) // What env(1) says when it fails itself.
        }
    }
}

fn become_command(arguments: &[String]) -> Result<std::convert::Infallible, String> {
    let dashes = arguments.iter().position(|argument| argument == "--").ok_or("no `--` before the command")?;
    let (words, command) = (&arguments[..dashes], &arguments[dashes + 1..]);
    let (program, arguments) = command.split_first().ok_or("no command")?;
    for word in words {
        Refusal::parse(word)?.establish().map_err(|error| format!("{word}: {error}"))?;
    }
    let error = Command::new(program).args(arguments).exec();
    Err(format!("{program}: {error}"))
}
