//! What does a person read whose expression is wrong?

use expect_test::expect;

use super::mistakes::check;
use super::{config, here};
use crate::config::{Layer, RunLayer};
use crate::filterset::{Expression, Needs, Packages};

#[test]
fn a_bad_filterset_is_shown_within_its_string() {
    check(
        r#"
[profile.default]
default-filter = "test(a) and tset(b)"

[[profile.default.overrides]]
filter = 'test(/[/) or group(x)'
retries = 1

[[profile.default.overrides]]
filter = "test(\"a\" and"
retries = 1
"#,
        &expect![[r#"
            invalid filterset: expected expression
             --> .config/isotest.toml:3:30
              |
            3 | default-filter = "test(a) and tset(b)"
              |                              ^^^^^^^^ missing expression
              = did you mean `test`?

            invalid filterset: invalid regex
             --> .config/isotest.toml:6:17
              |
            6 | filter = 'test(/[/) or group(x)'
              |                 ^ unclosed character class

            invalid filterset: expected close parenthesis
              --> .config/isotest.toml:10:10
               |
            10 | filter = "test(\"a\" and"
               |          ^^^^^^^^^^^^^^^^ missing `)`"#]],
    );
}

#[test]
fn an_expression_that_means_no_package_is_shown_once_the_packages_are_known() {
    let config = config("[profile.ci]\ndefault-filter = 'test(a) | rdeps(nobody)'\n");
    assert_eq!(config.needs(), Needs::Dependencies);
    let typed = (RunLayer::default(), Layer::default());
    let understood = config.profile("default", &Packages::none(), here(), typed);
    let mistakes = understood.err().map(|mistakes| mistakes.to_string()).unwrap_or_default();
    expect![[r#"
        invalid filterset: operator didn't match any packages
         --> isotest.toml:2:35
          |
        2 | default-filter = 'test(a) | rdeps(nobody)'
          |                                   ^^^^^^ no packages matched this"#]]
    .assert_eq(&mistakes);
}

#[test]
fn a_typed_expression_is_shown_with_carets() {
    let mistakes =
        |text| Expression::typed(text, &["db"]).err().map(|mistakes| mistakes.to_string()).unwrap_or_default();
    expect![[r#"
        invalid filterset: invalid AND operator
         --> --filterset:1:9
          |
        1 | test(a) && NOT test(b)
          |         ^^ expected `&` or `and`

        invalid filterset: expected expression, found `NOT`
         --> --filterset:1:12
          |
        1 | test(a) && NOT test(b)
          |            ^^^ `NOT` is not a recognized operator
          = use `not <expr>` instead

        invalid filterset: expected end of expression
         --> --filterset:1:15
          |
        1 | test(a) && NOT test(b)
          |               ^^^^^^^^ unparsed input"#]]
    .assert_eq(&mistakes("test(a) && NOT test(b)"));
    expect![[r#"
        invalid filterset: operator didn't match any test groups
         --> --filterset:1:7
          |
        1 | group(x)
          |       ^ no test groups matched this"#]]
    .assert_eq(&mistakes("group(x)"));
    expect![[r#"
        invalid filterset: invalid regex
         --> --filterset:1:7
          |
        1 | test(/(/)
          |       ^ unclosed group"#]]
    .assert_eq(&mistakes("test(/(/)"));
    expect![[r#"
        invalid filterset: invalid argument for platform
         --> --filterset:1:22
          |
        1 | group(db) & platform(mars)
          |                      ^^^^ expected "target" or "host""#]]
    .assert_eq(&mistakes("group(db) & platform(mars)"));
}
