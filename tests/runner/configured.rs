//! Whose word wins, what it changes, and how all of it is shown.

use isotest_tests::Ended;

use crate::suite::Suite;

const SPEC: [&str; 4] = ["-p", "behaviour", "--test", "spec"];

/// What `isolated`, `isolated_as_written` and `plain` have found.
fn found(suite: &Suite, what: &str) -> [String; 3] {
    ["isolated", "isolated_as_written", "plain"].map(|name| suite.noted(&format!("{what} of {name}")).concat())
}

#[test]
fn the_attribute_s_word_goes_before_the_configuration_s() {
    let suite = Suite::configured("[profile.default.spec]\nhostname = 'by-config'\nenv = { GIVEN = 'by-config' }\n");
    suite.run(&SPEC).with(0);
    assert_eq!(found(&suite, "host name"), ["by-config", "by-attribute", "by-config"]);
    assert_eq!(found(&suite, "GIVEN"), ["by-config", "by-attribute", "by-config"]);
}

#[test]
fn an_override_s_word_goes_before_the_profile_s_and_the_first_before_the_second() {
    let text = "[profile.default.spec]\nhostname = 'by-profile'\nenv = { GIVEN = 'by-profile' }\n\
                [[profile.default.overrides]]\nfilter = 'test(=plain)'\nspec = { hostname = 'first' }\n\
                [[profile.default.overrides]]\nfilter = 'all()'\nspec = { hostname = 'second' }\n";
    let suite = Suite::configured(text);
    suite.run(&SPEC).with(0);
    assert_eq!(found(&suite, "host name"), ["second", "by-attribute", "first"]);
    assert_eq!(found(&suite, "GIVEN"), ["by-profile", "by-attribute", "by-profile"]);
}

#[test]
fn a_plain_test_can_have_the_host_s_network_or_no_sandbox_and_an_isotest_can_not() {
    let own = std::fs::read_link("/proc/self/ns/net").expect("/proc is there").display().to_string();
    for spec in ["net = 'host'", "isolation = false"] {
        let suite = Suite::configured(&format!("[profile.default.spec]\n{spec}\n"));
        let ended = suite.run(&SPEC).with(0);
        let [isolated, written, plain] = found(&suite, "net");
        assert!(isolated != own && written != own && isolated != written, "{spec}: {isolated} {written}");
        assert_eq!(plain, own, "{spec}");
        let said = ended.lines(&["1 test was run without a sandbox, as configured"]);
        assert_eq!(said, usize::from(spec.starts_with("isolation")), "{}", ended.err);
    }
}

#[test]
fn a_profile_inherits_and_is_chosen_by_option_or_variable() {
    let text = "[profile.base]\nspec = { hostname = 'base', env = { GIVEN = 'base' } }\n\
                [profile.heir]\ninherits = 'base'\nspec = { hostname = 'heir' }\n";
    let suite = Suite::configured(text);
    let plain = |more: &[&str], variable: Option<&str>| {
        let mut command = suite.command(&[&["run"], &SPEC[..], &["plain"], more].concat());
        command.envs(variable.map(|profile| ("ISOTEST_PROFILE", profile)));
        Ended::of(&mut command).with(0);
        (suite.noted("host name of plain").concat(), suite.noted("GIVEN of plain").concat())
    };
    let pair = |name: &str, given: &str| (name.to_owned(), given.to_owned());
    assert_eq!(plain(&[], None), pair("isotest", "none"));
    assert_eq!(plain(&["--profile", "heir"], None), pair("heir", "base"));
    assert_eq!(plain(&[], Some("base")), pair("base", "base"));
    assert_eq!(plain(&["-P", "heir"], Some("base")), pair("heir", "base"));
}

#[test]
fn the_command_line_goes_before_all_else() {
    let text =
        "[profile.default]\nfail-fast = false\nretries = 3\nsuccess-output = 'immediate'\nstatus-level = 'all'\n";
    let suite = Suite::configured(text);
    let plain = ["-p", "outcomes", "--test", "plain", "--exact", "passes", "fails"];
    let ended = suite.run(&plain).with(100);
    ended.says(&["words of a passing test"]);
    ended.says(&["TRY 4 FAIL"]);
    ended.says(&["SKIP", "aborts"]);
    let typed = ["--retries", "0", "--success-output", "never", "--status-level", "pass"];
    let ended = suite.run(&[&plain[..], &typed].concat()).with(100);
    ended.does_not_say(&["words of a passing test"]);
    ended.does_not_say(&["TRY"]);
    ended.does_not_say(&["SKIP"]);
}

#[test]
fn what_holds_is_shown_with_who_said_so() {
    let text = "[profile.default]\nretries = 2\n[profile.default.spec]\nhostname = 'by-config'\n\
                [[profile.default.overrides]]\nfilter = 'test(=plain)'\nspec = { net = 'host' }\n";
    let suite = Suite::configured(text);
    let listed = suite.list(&[&SPEC[..], &["-v"]].concat()).with(0);
    let of = |name: &str| {
        let (_, rest) = listed.out.split_once(&format!("    {name}\n")).expect("it is listed");
        let settings = rest.lines().take_while(|line| !line.starts_with("    "));
        settings.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let has = |name: &str, line: &str| {
        assert!(of(name).iter().any(|own| own.starts_with(line)), "{name} has no {line:?}: {:#?}", of(name));
    };
    has("plain", "retries = 2 # ");
    has("plain", "spec.net = \"host\" # ");
    has("plain", "spec.hostname = \"by-config\" # ");
    has("isolated", "spec.net = \"isolated\" # ");
    has("isolated_as_written", "spec.hostname = \"by-attribute\" # ");
    let shown = Ended::of(&mut suite.command(&["show-config"])).with(0);
    shown.says(&["retries = 2", "# "]);
    shown.says(&["spec.hostname = \"by-config\"", "# "]);
    shown.says(&["fail-fast = true", "# built in"]);
}

#[test]
fn variables_are_as_good_as_options_which_win() {
    let suite = Suite::new();
    let fails = ["run", "-p", "outcomes", "--test", "plain", "--exact", "fails"];
    let run = |more: &[&str]| {
        let mut command = suite.command(&[&fails[..], more].concat());
        Ended::of(command.env("ISOTEST_RETRIES", "1").env("ISOTEST_FINAL_STATUS_LEVEL", "none")).with(100)
    };
    assert_eq!(run(&[]).lines(&["TRY 2 FAIL"]), 1);
    run(&["--retries", "0"]).does_not_say(&["TRY"]);
    assert_eq!(run(&["--final-status-level", "fail"]).lines(&["TRY 2 FAIL"]), 2);
}
