//! A debugger or a tracer gets one test, in its sandbox.

use crate::suite::Suite;
use crate::terminal::Terminal;

const ONE: [&str; 6] = ["run", "-p", "outcomes", "--test", "plain", "--exact"];
const ISOLATED: [&str; 6] = ["run", "-p", "outcomes", "--test", "isolated", "--exact"];

/// Runs what stands behind it, after it has said where it is, and what it was told by somebody in a terminal.
const ASKS: &str = r#"sh -c 'read word; echo "$(cat /proc/sys/kernel/hostname) heard $word"; exec "$@"' sh"#;

#[test]
fn a_debugger_gets_the_terminal() {
    for one in [ONE, ISOLATED] {
        let suite = Suite::new();
        let mut terminal = Terminal::new();
        terminal.runs(&mut suite.command(&[&one[..], &["passes", "--debugger", ASKS]].concat()));
        terminal.is_typed("something\n");
        let ended = terminal.end().with(0);
        ended.says(&["isotest heard something"]);
        ended.says(&["1 test run: 1 passed"]);
    }
}

#[test]
fn nothing_is_too_slow_under_a_debugger_nor_tried_again() {
    let suite = Suite::configured(
        "[profile.default]\nretries = 2\nslow-timeout = { period = \"100ms\", terminate-after = 1 }\n",
    );
    let mut terminal = Terminal::new();
    let waits = r#"sh -c 'sleep 1; exec "$@"' sh"#;
    let arguments = ["fails", "--debugger", waits, "--global-timeout", "100ms", "--timeout", "100ms"];
    terminal.runs(&mut suite.command(&[&ISOLATED[..], &arguments].concat()));
    let ended = terminal.end().with(100);
    ended.says(&["FAIL ["]);
    ended.does_not_say(&["TIMEOUT"]);
    ended.does_not_say(&["TRY"]);
}

#[test]
fn ctrl_c_is_for_the_debugger() {
    let suite = Suite::new();
    let mut terminal = Terminal::new();
    let counts = r#"sh -c 'trap "echo interrupted; exec \"\$@\"" INT; echo here; while :; do sleep 0.05; done' sh"#;
    terminal.runs(&mut suite.command(&[&ONE[..], &["passes", "--debugger", counts]].concat()));
    terminal.shows("here");
    terminal.is_typed("\x03");
    let ended = terminal.end().with(0);
    ended.says(&["interrupted"]);
    ended.says(&["1 test run: 1 passed"]);
}

#[test]
fn a_debugger_without_a_terminal_is_an_error() {
    let ended = Suite::new().run(&[&ONE[1..], &["passes", "--debugger", "gdb"]].concat()).with(96);
    ended.says(&["error: --debugger wants a terminal"]);
}

#[test]
fn a_tracer_needs_no_terminal() {
    let traces = r#"sh -c 'echo "tracing $(cat /proc/sys/kernel/hostname)"; exec "$@"' sh"#;
    let ended = Suite::new().run(&[&ISOLATED[1..], &["passes", "--tracer", traces]].concat()).with(0);
    ended.says(&["tracing isotest"]);
    ended.says(&["1 test run: 1 passed"]);
}

#[test]
fn exactly_one_test_is_watched() {
    let suite = Suite::new();
    let several = suite.run(&[&ONE[1..], &["passes", "fails", "--tracer", "true"]].concat()).with(96);
    several.says(&["error: --tracer wants exactly one test, and 2 were chosen:"]);
    several.says(&["  outcomes::plain passes"]);
    suite.run(&[&ONE[1..], &["nothing", "--tracer", "true"]].concat()).with(96).says(&["and none was chosen"]);
}

#[test]
fn what_can_t_be_a_command_is_said() {
    for (command, says) in [("gdb 'x", "a quote is not closed"), ("", "it names no program")] {
        Suite::new().run(&[&ONE[1..], &["passes", "--tracer", command]].concat()).with(2).says(&[says]);
    }
    Suite::new().run(&[&ONE[1..], &["passes", "--tracer", "a", "--debugger", "b"]].concat()).with(2);
}

#[test]
#[ignore = "needs gdb and strace; .ci/run runs it"]
fn gdb_and_strace_do_their_work() {
    let suite = Suite::new();
    let traced = suite.run(&[&ISOLATED[1..], &["passes", "--tracer", "strace -f"]].concat()).with(0);
    traced.says(&["execve(", "isolated-"]);
    let mut terminal = Terminal::new();
    let gdb = "gdb --quiet -ex 'set debuginfod enabled off' -ex run --args";
    terminal.runs(&mut suite.command(&[&ISOLATED[..], &["is_killed", "--debugger", gdb]].concat()));
    terminal.shows("terminated with signal SIGKILL");
    terminal.is_typed("quit\n");
    terminal.end();
}
