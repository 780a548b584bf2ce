//! Where cargo is configured to run test binaries by another program (`target.TRIPLE.runner`), so are they here, each in its
//! sandbox.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use isotest_tests::Ended;

use crate::suite::Suite;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// A program that notes what it is asked to run, and where, and runs it: all that stands after its own two words.
fn with_logger() -> Suite {
    let suite = Suite::new();
    let logger = suite.place().join("logger");
    let script = "#!/bin/sh\necho \"in $(cat /proc/sys/kernel/hostname): $*\" >> $PLACE/log\nshift 2\nexec \"$@\"\n";
    fs::write(&logger, script).expect("the place is writable");
    fs::set_permissions(&logger, fs::Permissions::from_mode(0o755)).expect("it is ours");
    suite
}

fn run(suite: &Suite, prepare: impl FnOnce(&mut Command)) -> Ended {
    let mut command = suite.command(&[
        "run",
        "-p",
        "outcomes",
        "-p",
        "macros",
        "--no-fail-fast",
        "--exact",
        "passes",
        "fails",
        "of_the_macro",
    ]);
    prepare(&mut command);
    Ended::of(&mut command).with(100)
}

/// That listing and each of the five tests went by the logger with these words first, in a sandbox.
#[track_caller]
fn went_by_it(suite: &Suite, ended: &Ended, words: &str) {
    ended.says(&["Summary", "5 tests run: 3 passed, 2 failed"]);
    ended.says(&["words to stderr"]);
    // Whether isotest is linked is asked before there is a sandbox: the server that answers makes them.
    let (servers, log): (Vec<_>, Vec<_>) = suite
        .noted("log")
        .into_iter()
        .partition(|line| line.ends_with(" --list --format terse --nocapture --include-ignored"));
    assert_eq!(servers.len(), 1, "{servers:#?}");
    assert!(log.iter().all(|line| line.starts_with(&format!("in isotest: {words}"))), "{log:#?}");
    let went = |binary: &str, arguments: &str| {
        let fits = |line: &&String| line.contains(&format!("/deps/{binary}-")) && line.ends_with(arguments);
        log.iter().filter(fits).count()
    };
    for binary in ["isolated", "plain", "macros"] {
        assert_eq!(went(binary, " --list --format terse"), 1, "{log:#?}");
        assert_eq!(went(binary, " --list --format terse --ignored"), 1, "{log:#?}");
    }
    for binary in ["isolated", "plain"] {
        assert_eq!(went(binary, " passes --exact --nocapture"), 1, "{log:#?}");
    }
    assert_eq!(went("macros", " of_the_macro --exact --nocapture"), 1, "{log:#?}");
}

#[test]
fn the_environment_names_it() {
    let suite = with_logger();
    let variable = format!("CARGO_TARGET_{}_RUNNER", TRIPLE.to_uppercase().replace('-', "_"));
    let ended = run(&suite, |command| {
        command.env(variable, format!("{} --with this", suite.place().join("logger").display()));
    });
    went_by_it(&suite, &ended, "--with this ");
}

#[test]
fn an_option_names_it() {
    let suite = with_logger();
    for key in [TRIPLE, "'cfg(target_os = \"linux\")'"] {
        let ended = run(&suite, |command| {
            command.args([
                "--config",
                &format!("target.{key}.runner = ['{}', 'with', 'two words']", suite.place().join("logger").display()),
            ]);
        });
        went_by_it(&suite, &ended, "with two words ");
    }
}

/// A file above the working directory does, with a path from where it lies. The one that is nearer wins, and a triple over a
/// `cfg()`.
#[test]
fn a_file_names_it() {
    let suite = with_logger();
    let below = suite.place().join("below");
    for (directory, text) in [
        (suite.place(), format!("[target.'cfg(unix)']\nrunner = 'nobody'\n[target.{TRIPLE}]\nrunner = 'nobody'\n")),
        (
            &below,
            format!("[target.'cfg(unix)']\nrunner = 'nobody'\n[target.{TRIPLE}]\nrunner = '../logger from file'\n"),
        ),
    ] {
        fs::create_dir_all(directory.join(".cargo")).expect("the place is writable");
        fs::write(directory.join(".cargo/config.toml"), text).expect("the place is writable");
    }
    let ended = run(&suite, |command| {
        let fixture = command.get_current_dir().expect("the fixture's").join("Cargo.toml");
        command.current_dir(&below).arg("--manifest-path").arg(fixture);
    });
    went_by_it(&suite, &ended, "from file ");
}

#[test]
fn one_that_is_not_there_is_named() {
    let suite = Suite::new();
    let mut command = suite.command(&["run", "-p", "macros"]);
    command.args(["--config", &format!("target.{TRIPLE}.runner = 'no-such-runner'")]);
    let ended = Ended::of(&mut command).with(104);
    ended.says(&["error: cannot list the tests of macros (", "it can't be started"]);
    ended.says(&["cannot run no-such-runner: ENOENT"]);
}

#[test]
fn a_list_says_what_runs_a_binary() {
    let suite = with_logger();
    let mut command = suite.command(&["list", "-v", "-p", "macros"]);
    let logger = suite.place().join("logger");
    command.args(["--config", &format!("target.{TRIPLE}.runner = '{} --with this'", logger.display())]);
    Ended::of(&mut command).with(0).says(&["run by:", "logger --with this"]);
}
