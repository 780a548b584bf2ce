//! Options that variables give: as if they had been typed, but told apart where they can't be.

use std::process::Command;

use isotest_tests::{Ended, cargo_isotest, clean};

use crate::suite::Suite;

/// What becomes of it under these variables.
fn with(variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command = Suite::new().command(&[&["run", "-p", "behaviour", "--no-run"], arguments].concat());
    Ended::of(command.envs(variables.iter().copied()))
}

#[test]
fn a_variable_that_can_t_be_is_named_and_not_the_option_that_nobody_typed() {
    let wrong = |variable: &str, value: &str, named: &str| {
        let ended = with(&[(variable, value)], &[]).with(2);
        ended.says(&[&format!("error: invalid value '{value}' for '{variable}, the variable for {named}'")]);
    };
    wrong("ISOTEST_RETRIES", "x", "--retries <N>");
    wrong("ISOTEST_VERBOSE", "perhaps", "--verbose");
    wrong("ISOTEST_NO_TESTS", "sleep", "--no-tests <ACTION>");
}

#[test]
fn each_command_reads_the_variables_for_its_own_options() {
    let list = |variable: &str, value: &str| {
        Ended::of(Suite::new().command(&["list", "-p", "behaviour"]).env(variable, value))
    };
    let wrong = list("CARGO_TERM_COLOR", "mauve").with(2);
    wrong.says(&["error: invalid value 'mauve' for 'CARGO_TERM_COLOR, the variable for --color <WHEN>'"]);
    list("ISOTEST_RETRIES", "x").with(0);
}

#[test]
fn options_before_the_command_are_refused_instead_of_lost() {
    let told = |arguments: &[&str]| Ended::of(&mut Suite::new().command(arguments));
    let ended = told(&["-p", "behaviour", "list"]).with(2);
    ended.says(&["error: --package <SPEC> stands before the command: write `cargo isotest list --package <SPEC>`"]);
    told(&["--no-pager", "list", "-p", "behaviour"]).with(0); // The same for every command.
}

#[test]
fn an_option_that_was_typed_is_named_whatever_its_variable_says() {
    for variables in [&[][..], &[("ISOTEST_RETRIES", "1")], &[("ISOTEST_RETRIES", "x")]] {
        let ended = with(variables, &["--retries", "y"]).with(2);
        ended.says(&["error: invalid value 'y' for '--retries <N>': it is no whole number"]);
    }
}

#[test]
fn what_is_typed_stands_above_variables() {
    with(
        &[("ISOTEST_RETRIES", "x"), ("ISOTEST_HIDE_PROGRESS_BAR", "1")],
        &["--retries", "1", "--show-progress", "bar"],
    )
    .with(0);
}

#[test]
fn an_empty_variable_is_one_that_is_not_set() {
    let options = ["RETRIES", "VERBOSE", "PROFILE", "NO_TESTS", "HIDE_PROGRESS_BAR", "UNAVAILABLE"];
    let names = options.map(|option| format!("ISOTEST_{option}"));
    with(&names.each_ref().map(|name| (name.as_str(), "")), &[]).with(0);
}

#[test]
fn a_cargo_that_is_not_there_is_named() {
    let mut command = clean(Command::new(cargo_isotest()));
    let ended = Ended::of(command.args(["isotest", "run"]).env("CARGO", "/nowhere/cargo")).with(102);
    assert_eq!(
        ended.err,
        "error: reading the workspace: cannot run /nowhere/cargo: No such file or directory (os error 2); is it installed, \
         and in PATH? The variables CARGO and RUSTC name others\n"
    );
}
