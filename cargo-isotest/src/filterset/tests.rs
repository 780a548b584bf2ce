//! Does an expression mean what it means under nextest?

use expect_test::expect;
use nextest_filtering::{CompiledExpr, GroupLookup, NameMatcher, TestQuery};

use super::{BinaryFacts, Expression, Needs, Packages, Role};

/// What `cargo metadata` says of three packages: `app` depends on `engine`, and that on `macros`.
const WORKSPACE: &str = include_str!("workspace.json");

fn packages() -> Packages {
    Packages::read(WORKSPACE).unwrap_or_else(|error| panic!("{error}"))
}

fn expression(text: &str) -> Expression {
    Expression::typed(text, &["db"]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn binaries() -> [BinaryFacts; 5] {
    let binary =
        |package: &str, id, kind, name| BinaryFacts::new(&format!("path+file:///w/{package}#0.1.0"), id, kind, name);
    [
        binary("app", "app", "lib", "app"),
        binary("app", "app::bin/app", "bin", "app"),
        binary("app", "app::net", "test", "net"),
        binary("engine", "engine::db", "test", "db"),
        binary("macros", "macros", "proc-macro", "macros").built_for_host(),
    ]
}

/// Every test whose name has `db` in it is in the group of that name.
#[derive(Debug)]
struct Groups;

impl GroupLookup for Groups {
    fn is_member_test(&self, test: &TestQuery<'_>, matcher: &NameMatcher) -> bool {
        matcher.is_match(if test.test_name.as_str().contains("db") { "db" } else { "@global" })
    }
}

/// The tests that an expression means, of two in each binary.
fn meant(text: &str) -> String {
    let compiled = expression(text).compile(&packages(), &["db"]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let default =
        Expression::parse("not test(slow)", Role::DefaultFilter, &[]).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let default = default.compile(&Packages::none(), &[]).unwrap_or(CompiledExpr::ALL);
    let binaries = binaries();
    let tests = binaries.iter().flat_map(|binary| ["db_1", "slow"].map(|name| binary.test(name)));
    let meant = tests.filter(|test| test.is_in(&compiled, &default, &Groups));
    meant.map(|test| format!("{} {}", test.binary.id, test.name.as_str())).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_predicate_means_what_it_says() {
    expect!["app db_1, app::bin/app db_1, app::net db_1, engine::db db_1, macros db_1"].assert_eq(&meant("test(db)"));
    expect!["engine::db db_1, engine::db slow"].assert_eq(&meant("package(engine)"));
    expect!["engine::db db_1, engine::db slow, macros db_1, macros slow"].assert_eq(&meant("deps(engine)"));
    expect!["app db_1, app slow, app::bin/app db_1, app::bin/app slow, app::net db_1, app::net slow, engine::db db_1, engine::db slow"].assert_eq(&meant("rdeps(engine)"));
    expect!["app::net db_1, app::net slow, engine::db db_1, engine::db slow"].assert_eq(&meant("kind(test)"));
    expect!["app db_1, app slow, app::bin/app db_1, app::bin/app slow"].assert_eq(&meant("binary(=app)"));
    expect!["app::net db_1, app::net slow"].assert_eq(&meant("binary_id(app::n*)"));
    expect!["macros db_1, macros slow"].assert_eq(&meant("platform(host)"));
    expect!["app db_1"].assert_eq(&meant("default() & binary_id(=app)"));
    expect!["app slow"].assert_eq(&meant("binary_id(=app) - group(db)"));
    expect!["app::bin/app db_1"].assert_eq(&meant("kind(bin) and not test(/^slow$/)"));
    expect![""].assert_eq(&meant("none()"));
    assert_eq!(meant("all()").split(", ").count(), 10);
}

#[test]
fn only_what_speaks_of_packages_costs_a_run_of_cargo() {
    let needs = |text| expression(text).needs();
    for text in ["test(a)", "all()", "kind(lib) | platform(host)", "default() - group(db)"] {
        assert_eq!(needs(text), Needs::Nothing, "{text}");
    }
    for text in ["package(app)", "binary(app)", "test(a) - binary_id(app)"] {
        assert_eq!(needs(text), Needs::Packages, "{text}");
    }
    for text in ["deps(app)", "test(a) | rdeps(app)"] {
        assert_eq!(needs(text), Needs::Dependencies, "{text}");
    }
}

#[test]
fn what_is_not_cargo_s_metadata_is_refused() {
    assert!(Packages::read("{}").is_err());
}
