//! `cargo isotest man`: how does the command line read as manual pages?

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::Problem;
use crate::cli::{self, Cli};
use crate::exit_code::Code;

/// Writes a page for each command: `cargo-isotest.1`, `cargo-isotest-run.1` and so on.
pub(crate) fn write(options: &cli::Man) -> Result<Code, Problem> {
    let directory = &options.directory;
    let mut command = Cli::command().name("cargo-isotest").disable_help_subcommand(true);
    command.build();
    std::fs::create_dir_all(directory).and_then(|()| pages(&command, directory)).map_err(|error| {
        let message = format!("cannot write manual pages to {}: {error}", directory.display());
        Problem { message, code: Code::OutputFailed }
    })?;
    Ok(Code::Passed)
}

fn pages(command: &clap::Command, directory: &Path) -> io::Result<()> {
    let page = Man::new(command.clone()).manual("isotest");
    let mut text = Vec::new();
    page.render(&mut text)?;
    // All that stands after the options is the exit codes, and that is what the section is called everywhere.
    let text = String::from_utf8_lossy(&text).replace(".SH EXTRA", ".SH \"EXIT STATUS\"").replace("Exit codes:\n", "");
    std::fs::write(directory.join(page.get_filename()), text)?;
    command.get_subcommands().try_for_each(|below| pages(below, directory))
}
