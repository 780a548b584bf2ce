//! Reports and timing files of shards become one, in which nothing is lost and nothing is counted twice.

use std::fs;
use std::path::{Path, PathBuf};

use isotest::isotest;
use roxmltree::{Document, Node};

use crate::elsewhere::{Ended, pack, place, runner};

/// `cargo isotest merge ARGUMENTS`, in the place where the inputs are.
fn merge(arguments: &[&str]) -> Ended {
    Ended::of(runner(&["merge"]).args(arguments))
}

/// A file of this name.
fn input(name: &str, text: &str) -> PathBuf {
    let file = place(name);
    fs::write(&file, text).expect("/tmp is private");
    file
}

/// A report with one suite.
fn report(suite: &str, counts: &str, cases: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"run\" {counts} timestamp=\"2026-01-01T00:00:0{}Z\" \
         time=\"1.500\">\n<testsuite name=\"{suite}\" {counts}>\n{cases}</testsuite></testsuites>",
        counts.len() % 10
    )
}

fn case(name: &str, inside: &str) -> String {
    format!("<testcase name=\"{name}\" classname=\"suite\" time=\"0.5\">{inside}</testcase>\n")
}

fn attributes<'a>(node: Node<'a, '_>, names: &[&str]) -> Vec<&'a str> {
    names.iter().map(|&name| node.attribute(name).unwrap_or("none")).collect()
}

fn cases<'a>(document: &'a Document<'_>) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.has_tag_name("testcase")).collect()
}

/// All four shards of the fixture, by hash: their reports and timing files, and those of a run of all.
#[isotest]
fn shards_come_to_what_a_run_of_all_comes_to() {
    let file = pack(&["--workspace"]);
    let run = |name: &str, arguments: &[&str]| {
        let mut command =
            runner(&["run", "--no-fail-fast", "--run-ignored", "all", "--no-tests", "pass", "--archive-file"]);
        command.arg(&file).arg("--junit").arg(place(&format!("{name}.xml")));
        command.arg("--write-timing-file").arg(place(&format!("{name}.json"))).args(arguments);
        Ended::of(&mut command)
    };
    run("all", &[]).with(100);
    let shards: Vec<String> = (1..=4).map(|shard| format!("hash:{shard}/4")).collect();
    let mut inputs = Vec::new();
    for (at, shard) in shards.iter().enumerate() {
        run(&at.to_string(), &["--partition", shard]);
        inputs.extend([format!("{at}.xml"), format!("{at}.json")]);
    }
    let mut command = runner(&["merge", "--junit", "merged.xml", "--timing-file", "merged.json"]);
    Ended::of(command.args(&inputs)).with(0);

    let [merged, all] = ["merged.xml", "all.xml"].map(|name| fs::read_to_string(place(name)).expect("a report"));
    let [merged, all] = [&merged, &all].map(|text| Document::parse(text).expect("well-formed XML"));
    let counts = ["tests", "failures", "errors", "skipped"];
    assert_eq!(attributes(all.root_element(), &counts), ["8", "1", "0", "0"]);
    let suites = |document: &Document<'_>| {
        let of_it = document.descendants().filter(|node| !node.has_tag_name("testcase") && node.has_attribute("tests"));
        let mut suites: Vec<_> =
            of_it.map(|node| attributes(node, &[&["name"], &counts[..]].concat()).join(" ")).collect();
        suites.sort();
        suites
    };
    assert_eq!(suites(&merged), suites(&all));
    let names = |document: &Document<'_>| {
        let mut names: Vec<_> =
            cases(document).iter().map(|case| attributes(*case, &["classname", "name"]).join(" ")).collect();
        names.sort();
        names
    };
    assert_eq!(names(&merged), names(&all));
    let failed = cases(&merged).into_iter().find(|case| case.attribute("name") == Some("it_fails")).expect("it ran");
    let failure = failed.children().find(|child| child.has_tag_name("failure")).expect("it failed");
    assert!(failure.text().is_some_and(|text| text.contains("as promised")));

    let [merged, all] = ["merged.json", "all.json"].map(|name| {
        let text = fs::read_to_string(place(name)).expect("a timing file");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    });
    let tests = |timings: &serde_json::Value| {
        let binaries = timings["tests"].as_object().expect("binaries").iter();
        let of_one = |(binary, tests): (&String, &serde_json::Value)| {
            let names = tests.as_object().expect("tests").keys().map(|test| format!("{binary} {test}"));
            names.collect::<Vec<_>>()
        };
        binaries.flat_map(of_one).collect::<Vec<_>>()
    };
    assert_eq!(tests(&merged), tests(&all));
    assert_eq!(tests(&all).len(), 8);
}

#[isotest]
fn counts_and_times_are_added_and_what_is_said_of_tests_stays_as_it_is() {
    let said = "<failure message=\"a &lt; b&#10;c\" type=\"x\">&#13;]]&gt; <![CDATA[<raw>]]></failure><system-out>ä</system-out>";
    input("1.xml", &report("suite", "tests=\"1\" failures=\"1\" errors=\"0\"", &case("a", said)));
    input("2.xml", &report("suite", "tests=\"2\" failures=\"0\" errors=\"1\" ", &(case("b", "") + &case("c", ""))));
    input("3.xml", &report("other", "tests=\"1\" failures=\"0\" errors=\"0\"", &case("a", "")));
    merge(&["--junit", "deep/out.xml", "1.xml", "2.xml", "3.xml"]).with(0);
    let text = fs::read_to_string(place("deep/out.xml")).expect("a report");
    assert!(text.contains(&case("a", said)), "{text}");
    let document = Document::parse(&text).expect("well-formed XML");
    let all = ["name", "tests", "failures", "errors", "skipped", "time"];
    assert_eq!(attributes(document.root_element(), &all), ["run", "4", "1", "1", "none", "4.500"], "{text}");
    let suites: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
    let suites: Vec<_> = suites.into_iter().map(|suite| attributes(suite, &all[..4])).collect();
    assert_eq!(suites, [["suite", "3", "1", "1"], ["other", "1", "0", "0"]]);
}

#[isotest]
fn a_test_that_others_skipped_counts_once() {
    let skipped = |name: &str| case(name, "<skipped message=\"partition\"/>");
    let counts = "tests=\"3\" skipped=\"2\" failures=\"0\"";
    input("1.xml", &report("suite", counts, &(case("a", "") + &skipped("b") + &skipped("c"))));
    input("2.xml", &report("suite", counts, &(skipped("a") + &case("b", "") + &skipped("c"))));
    merge(&["--junit", "out.xml", "1.xml", "2.xml"]).with(0);
    let text = fs::read_to_string(place("out.xml")).expect("a report");
    let document = Document::parse(&text).expect("well-formed XML");
    assert_eq!(attributes(document.root_element(), &["tests", "skipped", "failures"]), ["3", "1", "0"], "{text}");
    let mut told: Vec<_> = cases(&document)
        .iter()
        .map(|case| {
            (case.attribute("name").expect("a name"), case.children().any(|child| child.has_tag_name("skipped")))
        })
        .collect();
    told.sort_unstable();
    assert_eq!(told, [("a", false), ("b", false), ("c", true)]);
}

/// The merge ends with 96, says this, and writes nothing.
#[track_caller]
fn refused(inputs: &[&str], says: &str) {
    let output = ["--junit", "out.xml", "--timing-file", "out.json"];
    let ended = merge(&[&output[..], inputs].concat()).with(96);
    ended.says(says);
    assert!(!Path::new(&place("out.xml")).exists() && !place("out.json").exists());
}

#[isotest]
fn what_is_no_input_is_refused() {
    let whole = report("suite", "tests=\"1\"", &case("a", ""));
    let timings = "{\"version\":1,\"tests\":{\"a\":{\"b\":{\"seconds\":1.0,\"passed\":true}}}}";
    input("1.xml", &whole);
    input("1.json", timings);
    refused(&["1.xml", "1.json", "nowhere.xml"], "cannot merge nowhere.xml: No such file or directory");
    let wrong = [
        ("binary", "\u{1}\u{2}", "it is neither a JUnit report nor a timing file"),
        ("empty", "", "it is neither a JUnit report nor a timing file"),
        ("cut.xml", &whole[..whole.len() - 5], "it is no whole XML: "),
        ("page.xml", "<html></html>", "it is no JUnit report: it begins with <html>, not <testsuites>"),
        ("many.xml", &whole.replace("tests=\"1\"", "tests=\"many\""), "its tests=\"many\" is no number"),
        ("cut.json", &timings[..timings.len() - 5], "it is none: EOF"),
        ("later.json", "{\"version\":2,\"tests\":{}}", "it has version 2, and this program reads 1"),
    ];
    for (name, text, says) in wrong {
        input(name, text);
        refused(&["1.xml", "1.json", name], &format!("cannot merge {name}: {says}"));
    }
}

#[isotest]
fn what_is_given_twice_is_refused() {
    let timings = |test: &str| {
        format!("{{\"version\":1,\"tests\":{{\"a\":{{\"{test}\":{{\"seconds\":1.0,\"passed\":true}}}}}}}}")
    };
    input("1.xml", &report("suite", "tests=\"1\"", &case("a", "")));
    input("2.xml", &report("suite", "tests=\"2\"", &(case("b", "") + &case("a", ""))));
    input("1.json", &timings("x"));
    input("2.json", &timings("x"));
    input("3.json", &timings("y"));
    refused(
        &["1.json", "1.xml", "./1.xml"],
        "cannot merge ./1.xml: it is the same file as 1.xml, which is given before it",
    );
    refused(
        &["1.json", "1.xml", "2.xml"],
        "cannot merge 2.xml: suite a ran there and in 1.xml, too: are they shards of one run",
    );
    refused(
        &["1.xml", "3.json", "1.json", "2.json"],
        "cannot merge 2.json: a x ran there and in 1.json, too: are they",
    );
}

#[isotest]
fn what_nobody_said_where_to_write_is_refused() {
    input("1.xml", &report("suite", "tests=\"1\"", &case("a", "")));
    input("1.json", "{\"version\":1,\"tests\":{}}");
    merge(&["--junit", "out", "1.xml", "1.json"])
        .with(96)
        .says("1.json: it is a timing file: --timing-file OUT says where");
    merge(&["--timing-file", "out", "1.json", "1.xml"])
        .with(96)
        .says("1.xml: it is a JUnit report: --junit OUT says where");
    let none = "--timing-file is given, but no timing file is among the inputs";
    merge(&["--junit", "out.xml", "--timing-file", "out", "1.xml"]).with(96).says(none);
    merge(&["1.xml"]).with(2).says("--junit <OUT>");
    merge(&["--junit", "out"]).with(2).says("<INPUT>");
    // The opposite: both are fine where each has its place, and an output may be an input.
    merge(&["--junit", "out.xml", "--timing-file", "1.json", "1.json", "1.xml"]).with(0);
    merge(&["--junit", "/proc/no/out.xml", "1.xml"]).with(110).says("cannot write the JUnit report /proc/no/out.xml: ");
}
