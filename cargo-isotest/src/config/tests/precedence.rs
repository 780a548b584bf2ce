//! Whose word wins?

use std::rc::Rc;
use std::time::Duration;

use isotest::{Namespace, Spec};

use super::{config, here};
use crate::config::{
    Change, Config, Layer, Profile, Retries, RunLayer, Source, Sourced, SpecPatch, TestSettings, Threads,
};
use crate::filterset::{BinaryFacts, Needs, Packages};

fn profile<'c>(config: &'c Config, name: &str) -> Profile<'c> {
    assert_eq!(config.needs(), Needs::Nothing);
    let typed = (RunLayer::default(), Layer::default());
    config.profile(name, &Packages::none(), here(), typed).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn settings(profile: &Profile<'_>, test: &str) -> TestSettings {
    let binary = BinaryFacts::new("path+file:///w#p@0.1.0", "p::it", "test", "it");
    profile.settings_for(&binary.test(test))
}

const LAYERED: &str = r#"
[test-groups]
serial = { max-threads = 1 }

[profile.default]
retries = 1
test-threads = 8
slow-timeout = "10s"

[[profile.default.overrides]]
filter = "test(slow)"
slow-timeout = "1m"
retries = 2
priority = 5

[profile.ci]
inherits = "strict"
test-threads = -1

[[profile.ci.overrides]]
filter = "test(db)"
test-group = "serial"

[[profile.ci.overrides]]
filter = "test(slow_db)"
test-group = "@global"
retries = 7

[profile.strict]
retries = 0
"#;

fn at(source: &Source) -> String {
    source.to_string()
}

#[test]
fn the_first_override_that_matches_wins_key_by_key() {
    let config = config(LAYERED);
    let settings = settings(&profile(&config, "ci"), "slow_db");
    assert_eq!(settings.group.value.as_deref(), Some("serial"));
    assert_eq!(at(&settings.group.source), "override #1 of profile ci, line 20");
    assert_eq!(
        (settings.retries.value.count, at(&settings.retries.source).as_str()),
        (7, "override #2 of profile ci, line 24")
    );
    assert_eq!(at(&settings.priority.source), "override #1 of profile default, line 10");
}

#[test]
fn any_override_wins_over_every_profile() {
    let config = config(LAYERED);
    let settings = settings(&profile(&config, "ci"), "slow");
    assert_eq!(
        (settings.retries.value.count, at(&settings.retries.source).as_str()),
        (2, "override #1 of profile default, line 10")
    );
}

#[test]
fn a_profile_wins_over_those_it_inherits_from() {
    let config = config(LAYERED);
    let ci = profile(&config, "ci");
    let settings = settings(&ci, "quick");
    assert_eq!(at(&settings.retries.source), "profile strict, line 30");
    assert_eq!(at(&settings.slow_timeout.source), "profile default, line 8");
    assert_eq!(at(&settings.success_output.source), "built in");
    assert_eq!(ci.run.test_threads.value, Threads::LessThanCpus(1));
    assert_eq!(at(&ci.run.fail_fast.source), "built in");
}

#[test]
fn what_was_typed_wins_over_all() {
    let config = config(LAYERED);
    let typed = Layer { retries: Some(Sourced::typed(Retries::at_once(9))), ..Layer::default() };
    let typed = (RunLayer { test_threads: Some(Sourced::typed(Threads::NumCpus)), ..RunLayer::default() }, typed);
    let ci = config.profile("ci", &Packages::none(), here(), typed).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let settings = settings(&ci, "slow_db");
    assert_eq!((settings.retries.value.count, &settings.retries.source), (9, &Source::CommandLine));
    assert_eq!(ci.run.test_threads.source, Source::CommandLine);
}

#[test]
fn without_a_file_all_is_built_in() {
    let none = Config::default();
    let settings = settings(&profile(&none, "default"), "any");
    assert_eq!(settings.slow_timeout.source, Source::BuiltIn);
    assert_eq!(settings.retries.value.count, 0);
}

const SPECS: &str = r#"
[profile.default.spec]
tmp = "64M"
net = "host"
timeout = "5s"
env = { A = "profile", B = "profile" }

[[profile.default.overrides]]
filter = "test(db)"
spec = { hostname = "db", env.A = "override" }
"#;

#[test]
fn specs_are_layered_field_by_field_and_variable_by_variable() {
    let config = config(SPECS);
    let mut spec = Spec::default();
    settings(&profile(&config, "default"), "db").spec.apply(&mut spec, &[]);
    let expected = Spec::default().hostname("db").tmp(64 << 20).net(Namespace::Host).timeout(Duration::from_secs(5));
    assert_eq!(spec, expected.env("A", "override").env("B", "profile"));
}

#[test]
fn what_the_attribute_wrote_stays() {
    let config = config(SPECS);
    let mut spec = Spec::default().tmp(1 << 20).env("B", "attribute");
    let written = ["tmp".to_owned(), "env".to_owned()];
    let written = SpecPatch::asked_for(&written);
    settings(&profile(&config, "default"), "db").spec.apply(&mut spec, &written);
    assert_eq!(spec.tmp, 1 << 20);
    assert_eq!(spec.hostname, "db");
    assert!(spec.env.contains(&("B".to_owned(), "attribute".to_owned())));
    assert!(!spec.env.contains(&("B".to_owned(), "profile".to_owned())));
}

#[test]
fn the_command_line_overrules_the_attribute() {
    let mut typed = SpecPatch::default();
    typed.set(Change::Timeout(None), Source::CommandLine);
    typed.set(Change::Env("A".to_owned(), "typed".to_owned()), Source::CommandLine);
    let mut spec = Spec::default().timeout(Duration::from_secs(1)).env("A", "attribute");
    let written = ["timeout".to_owned(), "env".to_owned()];
    let written = SpecPatch::asked_for(&written);
    typed.apply(&mut spec, &written);
    assert_eq!(spec, Spec::default().env("A", "attribute").env("A", "typed"));
}

#[test]
fn an_attribute_that_shares_the_host_s_name_is_not_given_another() {
    let config = config(SPECS);
    let mut spec = Spec::default().uts(Namespace::Host).mount(Namespace::Host).pid(Namespace::Host);
    let written = SpecPatch::asked_for(&[]);
    settings(&profile(&config, "default"), "db").spec.apply(&mut spec, &written);
    assert_eq!(spec.contradiction(), None);
}

#[test]
fn no_configuration_takes_an_attribute_s_isolation_away() {
    let config = config(SPECS);
    let mut spec = Spec::default();
    settings(&profile(&config, "default"), "any").spec.apply(&mut spec, &SpecPatch::asked_for(&[]));
    assert_eq!(spec.net, Namespace::Isolated);
}

#[test]
fn scripts_run_in_the_order_of_the_file() {
    let config = config(
        r#"
        [scripts.setup.zeta]
        command = "make 'some db'"
        [scripts.setup.alpha]
        command = { command-line = ["a", "b"], relative-to = "target", env.X = "1" }
        [[profile.default.scripts]]
        filter = "test(db)"
        setup = ["alpha", "zeta"]
        "#,
    );
    let profile = profile(&config, "default");
    let binary = BinaryFacts::new("p", "p", "lib", "p");
    let names = |test| profile.scripts_for(&binary.test(test)).map(|script| script.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names("db"), ["zeta", "alpha"]);
    assert!(names("other").is_empty());
    let zeta = profile.scripts_for(&binary.test("db")).next().map(|script| script.arguments.clone());
    assert_eq!(zeta, Some(vec!["some db".to_owned()]));
}

#[test]
fn an_override_holds_on_its_platform_only() {
    let config = config(
        r#"
        [[profile.default.overrides]]
        platform = "cfg(windows)"
        retries = 1
        default-filter = "none()"
        [[profile.default.overrides]]
        platform = { host = "cfg(unix)", target = "x86_64-unknown-linux-gnu" }
        retries = 2
        default-filter = "test(some)"
        "#,
    );
    let profile = profile(&config, "default");
    assert_eq!(settings(&profile, "any").retries.value.count, 2);
    let binary = BinaryFacts::new("p", "p", "lib", "p");
    let default = profile.default_filter.value.clone();
    assert!(profile.means(&default, &binary.test("some")));
    assert!(!profile.means(&default, &binary.test("other")));
    assert!(matches!(&profile.default_filter.source, Source::Override { number: 2, .. }));
}

#[test]
fn groups_are_shared_names() {
    let config = config(LAYERED);
    assert_eq!(config.group_names(), ["serial"]);
    let group: Option<Rc<str>> = settings(&profile(&config, "ci"), "db").group.value;
    assert_eq!(group.as_deref(), Some("serial"));
}

#[test]
fn an_attribute_that_shares_the_host_s_network_is_not_watched() {
    let config = config("[profile.default.spec]\npcap = \"failed\"\negress = [\"10.0.0.0/8\"]\nuplink = true\n");
    let patch = settings(&profile(&config, "default"), "any").spec;
    let mut spec = Spec::default().net(Namespace::Host);
    patch.apply(&mut spec, &SpecPatch::asked_for(&["net".to_owned()]));
    assert_eq!(spec.contradiction(), None);
    let mut spec = Spec::default().net(Namespace::Host);
    patch.apply(&mut spec, &[]);
    assert!(spec.contradiction().is_some(), "where the configuration has shared it, it contradicts itself");
}
