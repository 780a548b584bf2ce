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
