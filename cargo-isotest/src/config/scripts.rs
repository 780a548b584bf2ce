//! What does a setup script run?

use super::elsewhere;
use super::forms;
use super::mistake::Mistake;
use super::reader::{Table, Value};
use super::units;
use super::values::SlowTimeout;

/// A program that runs once before the tests that need it, and may hand them variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Its name.
    pub(crate) name: String,
    /// The program.
    pub(crate) program: String,
    /// What the program's path starts from.
    pub(crate) relative_to: RelativeTo,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Variables it gets.
    pub(crate) env: Vec<(String, String)>,
    /// When it is slow, if ever.
    pub(crate) slow_timeout: Option<SlowTimeout>,
    /// Whether its stdout is kept rather than shown.
    pub(crate) capture_stdout: bool,
    /// Whether its stderr is kept rather than shown.
    pub(crate) capture_stderr: bool,
    /// Whether the JUnit report has its output when it succeeds.
    pub(crate) junit_store_success_output: bool,
    /// Whether the JUnit report has its output when it fails.
    pub(crate) junit_store_failure_output: bool,
}

/// What a program's path starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RelativeTo {
    /// It is looked for in PATH, or taken from the workspace's root
    #[default]
    None,
    /// The workspace's root
    WorkspaceRoot,
    /// The target directory
    Target,
}

/// Reads `scripts`: the setup scripts, in the order of the file, which is the order in which they run.
pub(super) fn read(mut table: Table<'_, '_>) -> Vec<Script> {
    let setup = table.read("setup", Value::table);
    table.finish(elsewhere::IN_SCRIPTS);
    let Some(setup) = setup else { return Vec::new() };
    setup.named().filter_map(|(name, _, value)| script(name, value.table()?)).collect()
}

fn script(name: &str, mut table: Table<'_, '_>) -> Option<Script> {
    let command = table.required("command").and_then(|value| command(&value));
    let slow_timeout = table.read("slow-timeout", forms::slow_timeout);
    let capture_stdout = table.read("capture-stdout", Value::boolean).unwrap_or(false);
    let capture_stderr = table.read("capture-stderr", Value::boolean).unwrap_or(false);
    let (mut success, mut failure) = (true, true);
    if let Some(mut junit) = table.read("junit", Value::table) {
        success = junit.read("store-success-output", Value::boolean).unwrap_or(true);
        failure = junit.read("store-failure-output", Value::boolean).unwrap_or(true);
        junit.finish(&[]);
    }
    table.finish(elsewhere::IN_A_SETUP_SCRIPT);
    let Command { program, arguments, relative_to, env } = command.unwrap_or_default();
    Some(Script {
        name: name.to_owned(),
        program,
        relative_to,
        arguments,
        env,
        slow_timeout,
        capture_stdout,
        capture_stderr,
        junit_store_success_output: success,
        junit_store_failure_output: failure,
    })
}

#[derive(Default)]
struct Command {
    program: String,
    arguments: Vec<String>,
    relative_to: RelativeTo,
    env: Vec<(String, String)>,
}

fn command(value: &Value<'_, '_>) -> Option<Command> {
    if !value.is_table() {
        let (program, arguments) = line(value)?;
        return Some(Command { program, arguments, ..Command::default() });
    }
    let mut table = value.table()?;
    let line = table.required("command-line").and_then(|value| line(&value));
    let relative_to = table.read("relative-to", Value::choice).unwrap_or_default();
    let mut env = Vec::new();
    if let Some(variables) = table.read("env", Value::table) {
        for (name, at, value) in variables.named() {
            if name.is_empty() || name.contains(['=', '\0']) {
                value.file.note::<()>(Mistake::new(at, format!("`{name}` cannot be the name of a variable")));
            } else if let Some(text) = value.string() {
                env.push((name.to_owned(), text.to_owned()));
            }
        }
    }
    table.finish(&[]);
    let (program, arguments) = line?;
    Some(Command { program, arguments, relative_to, env })
}

/// A command line: one string as a shell would split it, or an array of words.
fn line(value: &Value<'_, '_>) -> Option<(String, Vec<String>)> {
    let words = match value.as_string() {
        Some(line) => match units::words(line) {
            Some(words) => words,
            None => return value.wrong("is a command line", "a quote is not closed"),
        },
        None => value.strings()?,
    };
    let mut words = words.into_iter();
    match words.next().filter(|program| !program.is_empty()) {
        Some(program) => Some((program, words.collect())),
        None => value.wrong("is a command line", "this names no program"),
    }
}
