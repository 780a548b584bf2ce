//! What does a person see of what holds?

use expect_test::{Expect, expect};

use super::{config, here};
use crate::config::{Config, Layer, Row, RunLayer};
use crate::filterset::{BinaryFacts, Packages};

fn shown(rows: &[Row]) -> String {
    rows.iter().map(|Row { key, value, source }| format!("{key} = {value} # {source}\n")).collect()
}

fn check(config: &Config, run: &Expect, test: &Expect) {
    let typed = (RunLayer::default(), Layer::default());
    let profile = config.profile("default", &Packages::none(), here(), typed).unwrap_or_else(|wrong| panic!("{wrong}"));
    run.assert_eq(&shown(&profile.rows()));
    let binary = BinaryFacts::new("p", "p", "lib", "p");
    test.assert_eq(&shown(&profile.settings_for(&binary.test("some")).rows()));
}

#[test]
fn what_is_built_in_is_shown() {
    check(
        &Config::default(),
        &expect![[r#"
            default-filter = "all()" # built in
            test-threads = "num-cpus" # built in
            fail-fast = true # built in
            list-timeout = "60s" # built in
            status-level = "pass" # built in
            final-status-level = "flaky" # built in
            junit.report-name = "isotest-run" # built in
        "#]],
        &expect![[r#"
        retries = 0 # built in
        flaky-result = "pass" # built in
        slow-timeout = { period = "60s" } # built in
        threads-required = 1 # built in
        test-group = "@global" # built in
        priority = 0 # built in
        success-output = "never" # built in
        failure-output = "immediate" # built in
        junit.store-success-output = false # built in
        junit.store-failure-output = true # built in
        junit.flaky-fail-status = "failure" # built in
        junit.report-skipped = "none" # built in
    "#]],
    );
}

#[test]
fn what_was_said_is_shown_as_it_could_be_written() {
    let config = config(
        r#"
[test-groups]
db.max-threads = 2

[profile.default]
default-filter = 'not test("a")'
test-threads = -2
global-timeout = "1h"
fail-fast = { max-fail = 3, terminate = "immediate" }
slow-timeout = { period = "1500ms", terminate-after = 2, on-timeout = "pass" }
retries = { backoff = "exponential", count = 3, delay = "1s", max-delay = "10s" }
junit.path = "junit.xml"
archive.include = [{ path = "a\"b", relative-to = "target" }]

[[profile.default.overrides]]
filter = "test(some)"
test-group = "db"
threads-required = "num-cpus"
spec = { tmp = "64M", net = "host", init = false, timeout = "5s", leaks = "fail", env = { A = "b\"c" } }
"#,
    );
    check(
        &config,
        &expect![[r#"
            default-filter = 'not test("a")' # profile default, line 6
            test-threads = -2 # profile default, line 7
            fail-fast = { max-fail = 3, terminate = "immediate" } # profile default, line 9
            list-timeout = "60s" # built in
            status-level = "pass" # built in
            final-status-level = "flaky" # built in
            junit.report-name = "isotest-run" # built in
            global-timeout = "1h" # profile default, line 8
            junit.path = "junit.xml" # profile default, line 12
            archive.include = [{ path = 'a"b', relative-to = "target", depth = 16, on-missing = "warn" }] # profile default, line 13
        "#]],
        &expect![[r#"
            retries = { backoff = "exponential", count = 3, delay = "1s", max-delay = "10s", jitter = false } # profile default, line 11
            flaky-result = "pass" # built in
            slow-timeout = { period = "1500ms", terminate-after = 2, grace-period = "10s", on-timeout = "pass" } # profile default, line 10
            threads-required = "num-cpus" # override #1 of profile default, line 15
            test-group = "db" # override #1 of profile default, line 15
            priority = 0 # built in
            success-output = "never" # built in
            failure-output = "immediate" # built in
            junit.store-success-output = false # built in
            junit.store-failure-output = true # built in
            junit.flaky-fail-status = "failure" # built in
            junit.report-skipped = "none" # built in
            spec.env.A = 'b"c' # override #1 of profile default, line 15
            spec.init = false # override #1 of profile default, line 15
            spec.leaks = "fail" # override #1 of profile default, line 15
            spec.net = "host" # override #1 of profile default, line 15
            spec.timeout = "5s" # override #1 of profile default, line 15
            spec.tmp = "64M" # override #1 of profile default, line 15
        "#]],
    );
}

#[test]
fn what_is_shown_can_be_read_again() {
    let everything = config(
        include_str!("everything.toml")
            .replace("package(server)", "test(x)")
            .replace("rdeps(database)", "test(x)")
            .as_str(),
    );
    let typed = (RunLayer::default(), Layer::default());
    let profile = everything.profile("ci", &Packages::none(), here(), typed).unwrap_or_else(|wrong| panic!("{wrong}"));
    let binary = BinaryFacts::new("p", "p", "lib", "p");
    let (run, test) = (shown(&profile.rows()), shown(&profile.settings_for(&binary.test("net::x")).rows()));
    let group = test.lines().find(|line| line.starts_with("test-group")).unwrap_or("");
    let of_override = test.lines().filter(|line| line.starts_with("priority") || *line == group);
    let of_override: String = of_override.map(|line| format!("{line}\n")).collect();
    let of_profile = test.lines().filter(|line| !of_override.contains(line)).map(|line| format!("{line}\n"));
    let of_profile: String = of_profile.collect();
    config(&format!(
        "test-groups.database.max-threads = 1\n[[profile.default.overrides]]\nfilter = \"all()\"\n{of_override}\n[profile.again]\n{run}\n{of_profile}"
    ));
}
