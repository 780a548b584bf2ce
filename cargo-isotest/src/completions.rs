//! `cargo isotest completions`: what does a shell need in order to complete our command line?
//!
//! clap writes the script for `cargo-isotest`. What is typed is `cargo isotest`: zsh's completion of cargo asks ours by itself, the
//! others' is told to.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Problem;
use crate::cli::{Cli, Completions};
use crate::exit_code::Code;

/// Prints it.
pub(crate) fn print(options: &Completions) -> Result<Code, Problem> {
    let script = match options.shell {
        // A program with a hyphen in its name, which clap spells in two ways there, would have its own options completed, and
        // not those of its commands.
        Shell::Bash => {
            let script = of_clap(options.shell, "isotest").replace(" default isotest\n", " default cargo-isotest\n");
            script + include_str!("completions/cargo.bash")
        }
        Shell::Fish => of_clap(options.shell, "cargo-isotest") + include_str!("completions/cargo.fish"),
        shell => of_clap(shell, "cargo-isotest"),
    };
    match io::stdout().write_all(script.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem { message: format!("cannot print the script: {error}"), code: Code::OutputFailed })
        }
        _ => Ok(Code::Passed),
    }
}

fn of_clap(shell: Shell, program: &'static str) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command().name(program), program, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
