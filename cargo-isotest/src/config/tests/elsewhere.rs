//! What does a person read who brings a key of nextest's?

use expect_test::expect;

use super::mistakes::check;

#[test]
fn keys_of_nextest_that_isotest_has_not_name_the_alternative() {
    check(
        r#"
nextest-version = "0.9.50"
experimental = ["setup-scripts"]

[store]
dir = "target/other"

[scripts.wrapper.w]
command = "w"

[profile.default]
leak-timeout = "100ms"
run-extra-args = ["--nocapture"]

[[profile.default.scripts]]
filter = "all()"
run-wrapper = "w"
"#,
        &expect![[r#"
            isotest has no `nextest-version`
             --> .config/isotest.toml:2:1
              |
            2 | nextest-version = "0.9.50"
              | ^^^^^^^^^^^^^^^
              = this file is read by isotest alone; which version runs is a matter of Cargo.lock or CI

            isotest has no `experimental`
             --> .config/isotest.toml:3:1
              |
            3 | experimental = ["setup-scripts"]
              | ^^^^^^^^^^^^
              = nothing has to be switched on: setup scripts are always there

            isotest has no `store`
             --> .config/isotest.toml:5:2
              |
            5 | [store]
              |  ^^^^^
              = isotest keeps what it records under target/isotest

            isotest has no `scripts.wrapper`
             --> .config/isotest.toml:8:10
              |
            8 | [scripts.wrapper.w]
              |          ^^^^^^^
              = a test runs in a sandbox instead of a wrapper: see `spec`; what must happen before, a setup script does

            isotest has no `profile.default.leak-timeout`
              --> .config/isotest.toml:12:1
               |
            12 | leak-timeout = "100ms"
               | ^^^^^^^^^^^^
               = no timer is needed: init sees what a test leaves behind; say what that means with spec.leaks = "ignore" | "warn" | "fail"

            isotest has no `profile.default.run-extra-args`
              --> .config/isotest.toml:13:1
               |
            13 | run-extra-args = ["--nocapture"]
               | ^^^^^^^^^^^^^^
               = tests are started without a command line; give them variables: spec.env = { NAME = "value" }

            `profile.default.scripts[0]` has no `setup`
              --> .config/isotest.toml:15:1
               |
            15 | [[profile.default.scripts]]
               | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
               = `setup` must be there

            isotest has no `profile.default.scripts[0].run-wrapper`
              --> .config/isotest.toml:17:1
               |
            17 | run-wrapper = "w"
               | ^^^^^^^^^^^
               = a test runs in a sandbox instead of a wrapper: see `spec`; what must happen before, a setup script does"#]],
    );
}
