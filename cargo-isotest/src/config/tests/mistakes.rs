//! What does a person read who has made a mistake?

use expect_test::{Expect, expect};

use crate::config::Config;

pub(super) fn check(text: &str, expected: &Expect) {
    match Config::parse(".config/isotest.toml", text.to_owned()) {
        Ok(_) => panic!("nothing is wrong with this:\n{text}"),
        Err(mistakes) => expected.assert_eq(&mistakes.to_string()),
    }
}

#[test]
fn an_unknown_key_is_guessed() {
    check(
        "[profile.ci]\nretrys = 3\n",
        &expect![[r#"
        unknown key `retrys` in `profile.ci`
         --> .config/isotest.toml:2:1
          |
        2 | retrys = 3
          | ^^^^^^
          = did you mean `retries`?"#]],
    );
    check(
        "[profile.ci]\n\twibble = 3\n",
        &expect![[r#"
            unknown key `wibble` in `profile.ci`
             --> .config/isotest.toml:2:2
              |
            2 | 	wibble = 3
              | 	^^^^^^
              = possible: `inherits`, `default-filter`, `test-threads`, `fail-fast`, `global-timeout`, `list-timeout`, `status-level`, `final-status-level`, `retries`, `flaky-result`, `slow-timeout`, `threads-required`, `success-output`, `failure-output`, `spec`, `junit`, `archive`, `overrides` or `scripts`"#]],
    );
    check(
        "[porfile.ci]\n",
        &expect![[r#"
        unknown key `porfile` here
         --> .config/isotest.toml:1:2
          |
        1 | [porfile.ci]
          |  ^^^^^^^
          = did you mean `profile`?"#]],
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    check(
        r#"
[profile.default]
retries = "3"
fail-fast = { max-fail = 0 }
slow-timeout = 60
test-threads = 0
status-level = "fails"

[[profile.default.overrides]]
test-group = "databse"
priority = 101

[profile.default.spec]
net = "hosts"
tmp = "64MB"
hostname = ""
timeout = "0s"

[test-groups]
database = {}
"#,
        &expect![[r#"
            `profile.default.retries` is a number, or { backoff, count, delay, .. }
             --> .config/isotest.toml:3:11
              |
            3 | retries = "3"
              |           ^^^ this is a string

            `profile.default.fail-fast.max-fail` is a number of failures from 1, or "all"
             --> .config/isotest.toml:4:26
              |
            4 | fail-fast = { max-fail = 0 }
              |                          ^ this is none

            `profile.default.slow-timeout` is a duration, as in "1m 30s", or { period, terminate-after, .. }
             --> .config/isotest.toml:5:16
              |
            5 | slow-timeout = 60
              |                ^^ this is a number

            `profile.default.test-threads` is a number of threads, a negative one to leave CPUs free, or "num-cpus"
             --> .config/isotest.toml:6:16
              |
            6 | test-threads = 0
              |                ^ nothing would ever run

            `profile.default.status-level` is one of `none`, `fail`, `retry`, `slow`, `leak`, `pass`, `skip` or `all`
             --> .config/isotest.toml:7:16
              |
            7 | status-level = "fails"
              |                ^^^^^^^ this is not
              = did you mean `fail`?

            `profile.default.overrides[0]` says neither `filter` nor `platform`
             --> .config/isotest.toml:9:1
              |
            9 | [[profile.default.overrides]]
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ for which tests?
              = for all tests, write it into the profile itself, or `filter = "all()"`

            there is no test group `databse`
              --> .config/isotest.toml:10:14
               |
            10 | test-group = "databse"
               |              ^^^^^^^^^
               = did you mean `database`?
               = a test group is written as [test-groups.databse], with max-threads

            `profile.default.overrides[0].priority` is a whole number from -100 to 100
              --> .config/isotest.toml:11:12
               |
            11 | priority = 101
               |            ^^^ this is not

            `profile.default.spec.net` is one of `isolated` or `host`
              --> .config/isotest.toml:14:7
               |
            14 | net = "hosts"
               |       ^^^^^^^ this is not
               = did you mean `host`?

            `profile.default.spec.tmp` is a size, as in "64M" (K, M, G, T are powers of 1024)
              --> .config/isotest.toml:15:7
               |
            15 | tmp = "64MB"
               |       ^^^^^^ this is not

            `profile.default.spec.hostname` is a host name of 1 to 64 bytes
              --> .config/isotest.toml:16:12
               |
            16 | hostname = ""
               |            ^^ this is not

            `profile.default.spec.timeout` is a duration, or "never"
              --> .config/isotest.toml:17:11
               |
            17 | timeout = "0s"
               |           ^^^^ a timeout of zero would kill every test

            `test-groups.database` has no `max-threads`
              --> .config/isotest.toml:20:1
               |
            20 | database = {}
               | ^^^^^^^^
               = `max-threads` must be there"#]],
    );
}

#[test]
fn what_is_not_toml_is_shown_where_it_stops_to_be() {
    check(
        "[profile.ci]\nretries = = 3\n",
        &expect![[r#"
        this is not TOML: extra `=`, expected nothing
         --> .config/isotest.toml:2:11
          |
        2 | retries = = 3
          |           ^

        this is not TOML: unexpected key or value, expected newline, `#`
         --> .config/isotest.toml:2:13
          |
        2 | retries = = 3
          |             ^"#]],
    );
    check(
        "[profile.ci]\nretries = 3\nretries = 4\n",
        &expect![[r#"
        this is not TOML: duplicate key
         --> .config/isotest.toml:3:1
          |
        3 | retries = 4
          | ^^^^^^^"#]],
    );
}

#[test]
fn profiles_inherit_from_others_that_are_there() {
    check(
        r#"
[profile.a]
inherits = "b"
[profile.b]
inherits = "a"
[profile.c]
inherits = "c"
[profile.d]
inherits = "defualt"
[profile.default]
inherits = "a"
"#,
        &expect![[r#"
            the profile `a` inherits from itself: a → b → a
             --> .config/isotest.toml:3:12
              |
            3 | inherits = "b"
              |            ^^^

            the profile `b` inherits from itself: b → a → b
             --> .config/isotest.toml:5:12
              |
            5 | inherits = "a"
              |            ^^^

            the profile `c` inherits from itself: c → c
             --> .config/isotest.toml:7:12
              |
            7 | inherits = "c"
              |            ^^^

            there is no profile `defualt`
             --> .config/isotest.toml:9:12
              |
            9 | inherits = "defualt"
              |            ^^^^^^^^^
              = did you mean `default`?

            the profile `default` inherits from nobody: the others inherit from it
              --> .config/isotest.toml:11:12
               |
            11 | inherits = "a"
               |            ^^^"#]],
    );
}

#[test]
fn tables_have_what_they_must_have() {
    check(
        r#"
[scripts.setup.empty]
[scripts.setup.unclosed]
command = "a 'b"

[profile.default]
retries = { backoff = "exponential", count = 1 }
slow-timeout = { terminate-after = 0 }
archive = { include = [{ path = "x" }] }

[[profile.default.overrides]]
platform = "cfg(unix"
default-filter = "all()"
filter = "all()"

[[profile.default.scripts]]
filter = "all()"
setup = "emtpy"
"#,
        &expect![[r#"
            `scripts.setup.empty` has no `command`
             --> .config/isotest.toml:2:16
              |
            2 | [scripts.setup.empty]
              |                ^^^^^
              = `command` must be there

            `scripts.setup.unclosed.command` is a command line
             --> .config/isotest.toml:4:11
              |
            4 | command = "a 'b"
              |           ^^^^^^ a quote is not closed

            `profile.default.retries` has no `delay`
             --> .config/isotest.toml:7:1
              |
            7 | retries = { backoff = "exponential", count = 1 }
              | ^^^^^^^
              = `delay` must be there

            `profile.default.slow-timeout` has no `period`
             --> .config/isotest.toml:8:1
              |
            8 | slow-timeout = { terminate-after = 0 }
              | ^^^^^^^^^^^^
              = `period` must be there

            `profile.default.slow-timeout.terminate-after` is a number of periods from 1
             --> .config/isotest.toml:8:36
              |
            8 | slow-timeout = { terminate-after = 0 }
              |                                    ^ this is none

            `profile.default.archive.include[0]` has no `relative-to`
             --> .config/isotest.toml:9:24
              |
            9 | archive = { include = [{ path = "x" }] }
              |                        ^^^^^^^^^^^^^^
              = `relative-to` must be there

            `profile.default.overrides[0].platform` is a target triple or a cfg() expression
              --> .config/isotest.toml:12:12
               |
            12 | platform = "cfg(unix"
               |            ^^^^^^^^^^ error parsing cfg() expression

            an override's `default-filter` holds for a `platform`, and goes without a `filter`
              --> .config/isotest.toml:13:1
               |
            13 | default-filter = "all()"
               | ^^^^^^^^^^^^^^

            there is no setup script `emtpy`
              --> .config/isotest.toml:18:9
               |
            18 | setup = "emtpy"
               |         ^^^^^^^
               = a setup script is written as [scripts.setup.emtpy]
               = did you mean `empty`?"#]],
    );
}

#[test]
fn a_profile_that_is_not_there_is_guessed() {
    let config = super::config("[profile.ci]\n[profile.nightly]\n");
    let mistake = |name| config.check_profile(name).err().map(|mistakes| mistakes.to_string()).unwrap_or_default();
    expect!["no profile is called `nigthly` in isotest.toml: did you mean `nightly`?"].assert_eq(&mistake("nigthly"));
    expect!["no profile is called `x` in isotest.toml: there is `default`, `ci` or `nightly`"].assert_eq(&mistake("x"));
}

#[test]
fn a_spec_that_no_sandbox_can_meet_is_a_mistake() {
    check(
        "[profile.default.spec]\nmount = \"host\"\n[profile.ci]\nspec.pid = \"host\"\n",
        &expect![[r#"
        in `profile.default.spec`, mount = "host" contradicts pid = "isolated": with the host's mounts, /proc would show the host's processes under the test's numbers; add pid = "host"
         --> .config/isotest.toml:1:18
          |
        1 | [profile.default.spec]
          |                  ^^^^"#]],
    );
}

#[test]
fn what_needs_a_network_of_its_own_is_a_mistake_beside_the_host_s() {
    check(
        "[profile.default.spec]\nnet = \"host\"\negress = \"record\"\n[profile.a.spec]\negress = \"warn\"\npcap = \"failed\"\n\
         [profile.b.spec]\negress = \"warn\"\nuplink = true\n",
        &expect![[r#"
            in `profile.default.spec`, egress contradicts net = "host": with the host's network, attempts succeed; leave one of the two out
             --> .config/isotest.toml:1:18
              |
            1 | [profile.default.spec]
              |                  ^^^^

            in `profile.a.spec`, pcap contradicts net = "host": what goes over the host's network is not the test's to keep; leave one of the two out
             --> .config/isotest.toml:4:12
              |
            4 | [profile.a.spec]
              |            ^^^^

            in `profile.b.spec`, uplink = true contradicts net = "host": the test is in the machine's network already; leave one of the two out
             --> .config/isotest.toml:7:12
              |
            7 | [profile.b.spec]
              |            ^^^^"#]],
    );
}
