//! What GitHub shows at the lines of a pull request.

use crate::ran::Ran;
use isotest_tests::text;

/// The commands that a run writes with these variables.
fn commands(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let ran = Ran::new();
    let mut command = ran.command(arguments);
    command.env_remove("GITHUB_ACTIONS").env_remove("GITHUB_WORKSPACE").envs(variables.iter().copied());
    let output = command.output().expect("cargo isotest starts");
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(report.contains("Summary"), "{}", text(&output));
    report.lines().filter(|line| line.starts_with("::")).map(str::to_owned).collect()
}

#[test]
fn failures_stand_at_their_lines() {
    let commands = commands(&["fails_at_a_place", "passes"], &[("GITHUB_ACTIONS", "true")]);
    let expected = "::error file=tests/reported.rs,line=15,col=5,title=reported%3A%3Areported fails_at_a_place::\
                    assertion `left == right` failed: a, b: 100%25%0Aand more%0A  left: 2%0A right: 3";
    assert_eq!(commands, [expected]);
}

#[test]
fn a_failure_without_a_place_is_told_as_well() {
    let commands = commands(&["takes_too_long", "--github-annotations"], &[]);
    assert_eq!(
        commands,
        [
            "::error title=reported%3A%3Areported takes_too_long::the test timed out, and was killed with all that it had started"
        ]
    );
}

#[test]
fn a_flaky_test_is_a_warning() {
    let commands = commands(&["is_flaky", "--retries", "1"], &[("GITHUB_ACTIONS", "true")]);
    let [warning] = &commands[..] else { panic!("{commands:?}") };
    assert!(warning.starts_with("::warning file=tests/reported.rs,line="), "{warning}");
    assert!(warning.ends_with("::passed on attempt 2, after this: run 1 fails"), "{warning}");
}

#[test]
fn nobody_else_is_shown_any() {
    assert!(commands(&["fails_at_a_place"], &[]).is_empty());
    assert!(commands(&["fails_at_a_place", "--github-annotations=never"], &[("GITHUB_ACTIONS", "true")]).is_empty());
}

#[test]
fn files_are_named_from_the_repository() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_WORKSPACE", fixtures)];
    let commands = commands(&["fails_at_a_place"], &variables);
    assert!(commands[0].starts_with("::error file=reported/tests/reported.rs,line=15,"), "{commands:?}");
}
