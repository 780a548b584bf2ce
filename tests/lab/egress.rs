//! Where does a test try to go, and may it?

use isotest_tests::{Ended, Fixture};

const EGRESS: [&str; 3] = ["--no-fail-fast", "--test", "egress"];

/// What is told of `recorded`, in this order.
const RECORDED: [&str; 4] = [
    "  the name api.example.com, ",
    "  tcp 192.0.2.200:443, twice",
    "  tcp [2001:db8:7::1]:80, once",
    "  udp 203.0.113.9:123, once",
];

#[test]
fn each_destination_is_told_and_a_list_forbids_all_others() {
    let ended = Ended::of(&mut Fixture("labs").cargo(&[&["test"], &EGRESS[..], &["--", "--show-output"]].concat()));
    // `plain` is in no sandbox here, and may find names or not.
    ended.says(&["elsewhere_too ... FAILED"]);
    for test in ["recorded", "among_itself", "only_where_it_may"] {
        ended.says(&[&format!("{test} ... ok")]);
    }
    for line in RECORDED {
        assert_eq!(ended.lines(&[line]), 1, "{line}: {}", ended.out);
    }
    assert_eq!(ended.lines(&["the test tried to reach outside of its sandbox"]), 2, "{}", ended.out);
    assert_eq!(ended.lines(&["tcp 192.0.2.200:444, once"]), 1, "{}", ended.out);
    assert_eq!(ended.lines(&["the name example.org, "]), 1, "{}", ended.out);
}

#[test]
fn programs_read_them_and_a_configuration_asks_for_them() {
    let arguments = [&EGRESS[..], &["--profile", "recorded", "--message-format", "json"]].concat();
    let ended = Ended::of(&mut Fixture("labs").cargo_isotest(&arguments)).with(100);
    let events = ended.out.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let ends: Vec<_> = events.filter(|event| event["event"] == "ended" && event["name"].is_string()).collect();
    let of =
        |name: &str| ends.iter().find(|event| event["name"] == name).unwrap_or_else(|| panic!("{name}: {ends:#?}"));
    let first = of("recorded")["destinations"]["first"].as_array().expect("a list");
    assert_eq!(first.len(), 4);
    assert_eq!(first[0]["name"], "api.example.com");
    let tcp = serde_json::json!({ "protocol": "tcp", "address": "192.0.2.200", "port": 443, "attempts": 2 });
    assert_eq!(first[1], tcp);
    assert_eq!(of("plain")["destinations"]["first"][0]["name"], "plain.example.com");
    assert_eq!(of("elsewhere_too")["outcome"]["kind"], "tried-to-leave");
    assert!(of("among_itself")["destinations"].is_null());
}

const HOSTS: [&str; 3] = ["--no-fail-fast", "--test", "hosts"];

/// What is told of the hosts in `recorded`, in this order.
const OF_HOSTS: [&str; 11] = [
    "  the name api.example.com, twice, from alice",
    "  the name other.example.com, twice, from carol",
    "  tcp 203.0.113.7:443, twice, from alice",
    "  tcp 203.0.113.7:443, once, from bob",
    "  tcp 203.0.113.8:25, once, from gw",
    "  tcp 203.0.113.9:22, once, from carol",
    "  tcp 203.0.113.10:22, once, from lonely",
    "  tcp 203.0.113.12:443, once",
    "  tcp [2001:db8:7::1]:22, once, from lonely",
    "  tcp [2001:db8:7::1]:80, once, from bob",
    "  udp 203.0.113.11:123, once, from dave",
];

#[test]
fn each_destination_of_a_host_is_told_with_the_host() {
    let ended = Ended::of(&mut Fixture("labs").cargo(&[&["test"], &HOSTS[..], &["--", "--show-output"]].concat()));
    let passed =
        ["recorded", "only_where_they_may", "unknown_in_the_internet", "behind_firewalls", "warned_of", "very_many"];
    let quiet = [
        "on_a_list",
        "where_it_counts",
        "where_the_kernel_counts",
        "in_the_internet",
        "after_its_lab",
        "after_its_lab_where_the_kernel_counts",
    ]
    .map(|it| format!("quiet_{it}"));
    for test in passed.into_iter().chain(["ignored", "killed_with_the_lab"]).chain(quiet.iter().map(String::as_str)) {
        ended.says(&[&format!("test {test} ... ok")]);
    }
    for test in ["elsewhere_too", "may_not_at_all", "may_not_at_all_beside_others", "may_not_before_its_lab_is_gone"] {
        ended.says(&[&format!("test {test} ... FAILED")]);
    }
    let told = |test: &str| -> Vec<&str> {
        let of_it = ended.out.split_once(&format!("---- {test} stdout ----\n")).map_or("", |(_, rest)| rest);
        of_it.lines().take_while(|line| !line.starts_with("----")).filter(|line| line.starts_with("  ")).collect()
    };
    let starts_with = |test: &str, lines: &[&str]| {
        assert!(told(test).starts_with(lines), "{test}: {:#?}", told(test));
    };
    starts_with("recorded", &OF_HOSTS);
    starts_with(
        "elsewhere_too",
        &["  the name example.org, twice, from carol", "  tcp 203.0.113.7:444, once, from alice"],
    );
    starts_with("unknown_in_the_internet", &["  the name unknown.example.com, twice, from alice"]);
    starts_with(
        "behind_firewalls",
        &["  tcp 203.0.113.40:443, once, from carol", "  tcp 203.0.113.41:443, once, from alice"],
    );
    starts_with("killed_with_the_lab", &["  tcp 203.0.113.23:443, once, from dave"]);
    assert_eq!(told("very_many").iter().filter(|line| line.ends_with("from carol")).count(), 24);
    starts_with("very_many", &["  udp 203.0.113.30:1, once, from carol"]);
    ended.says(&["  and 1076 more"]);
    // A test that has no time for a farewell is told of as well.
    ended.says(&["  tcp 203.0.113.20:443, once, from alice"]);
    ended.says(&["  tcp 203.0.113.21:443, once, from alice"]);
    ended.says(&["  the name slow.example.com, twice, from alice"]);
    // Of those three that may not at all, and of one that hangs.
    assert_eq!(ended.lines(&["the test tried once to reach outside"]), 4, "{}", ended.out);
}

#[test]
fn programs_read_the_hosts_and_all_destinations() {
    let arguments =
        [&HOSTS[..], &["--message-format", "json", "-E", "test(recorded) + test(very_many) + test(warned_of)"]]
            .concat();
    let ended = Ended::of(&mut Fixture("labs").cargo_isotest(&arguments)).with(0);
    let events = ended.out.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let ends: Vec<_> = events.filter(|event| event["event"] == "ended" && event["name"].is_string()).collect();
    let of =
        |name: &str| ends.iter().find(|event| event["name"] == name).unwrap_or_else(|| panic!("{name}: {ends:#?}"));
    let first = &of("recorded")["destinations"]["first"];
    assert_eq!(first[0], serde_json::json!({ "name": "api.example.com", "attempts": 2, "host": "alice" }));
    let own = serde_json::json!({ "protocol": "tcp", "address": "203.0.113.12", "port": 443, "attempts": 1 });
    assert_eq!(first[7], own, "the test's own network is no host");
    let many = &of("very_many")["destinations"];
    assert_eq!((&many["count"], many["first"].as_array().map(Vec::len)), (&1100.into(), Some(1000)));
    // Six in the first lab, of which some took two packets, and one in the second.
    let counted = of("warned_of")["egress"].as_u64().expect("a number");
    assert!((7..=14).contains(&counted), "{counted}");
}

#[test]
fn what_is_not_seen_is_told_and_counts_as_forbidden() {
    let ended = Ended::of(&mut Fixture("labs").cargo(&["test", "--test", "unseen", "--", "--show-output"])).with(101);
    ended.says(&["test in_a_lab ... FAILED"]);
    ended.says(&["test in_a_lab_of_a_test_that_may ... ok"]);
    let told = ["whether the test tried to reach outside of its sandbox was not seen: ", "Invalid argument"];
    assert_eq!(ended.lines(&told), 2, "{}", ended.out);
    ended.says(&["test in_a_flood ... FAILED"]);
    ended.says(&["test in_a_flood_from_a_host ... FAILED"]);
    ended.says(&["test in_a_flood_of_a_test_that_may ... ok"]);
    let told = [told[0], " packets that were to leave came faster than they could be looked at"];
    assert_eq!(ended.lines(&told), 4, "{}", ended.out);
    ended.says(&["test in_a_flood_that_does_not_end ... FAILED"]);
    ended.says(&["isotest: the test timed out, and was killed with all that it had started"]);
}
