//! Is what the pages say of our command line so?

use std::process::{Command, Output};

use isotest_tests::{cargo_isotest, root, text};

use crate::tree;

/// The pages that compare. In them, options that stand alone are ours, unless the column is somebody else's.
const COMPARING: [&str; 2] = ["docs/from-cargo-test.md", "docs/from-nextest.md"];

/// The section of what is not there, and should leave the page when it is.
const MISSING: &str = "What nextest has, and cargo isotest has not";

/// A piece of code in a page, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Code {
    text: String,
    section: String,
    /// The heading of the table's column it stands in.
    column: String,
}

impl Code {
    fn is_theirs(&self) -> bool {
        ["nextest", "cargo-nextest", "cargo test"].contains(&self.column.as_str())
    }
}

/// All of a page, in order; each line of a shell block is one.
fn code_of(page: &str) -> Vec<Code> {
    let (mut found, mut section, mut block, mut header) = (Vec::new(), String::new(), None, Vec::new());
    for line in page.lines() {
        if let Some(language) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language) };
            continue;
        }
        let mut add = |text: &str, column: &str| {
            found.push(Code { text: text.to_owned(), section: section.clone(), column: column.to_owned() });
        };
        match block {
            Some("sh") => add(line.split(" #").next().unwrap_or(line).trim(), ""),
            Some(_) => {}
            None => {
                // No code has a bar in it.
                let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
                let in_table = line.starts_with('|');
                if in_table && header.is_empty() {
                    header = cells.iter().map(|&cell| cell.to_owned()).collect();
                } else if !in_table {
                    header.clear();
                }
                for (at, cell) in cells.iter().enumerate() {
                    let column = header.get(at).map_or("", String::as_str);
                    cell.split('`').skip(1).step_by(2).for_each(|text| add(text, column));
                }
            }
        }
        section = line.strip_prefix("## ").map_or(section, str::to_owned);
    }
    found
}

/// Words as a shell would make them, as far as our pages go.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in text.split('\'').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Whether `cargo isotest ARGUMENTS` can be typed. It is asked for help as well, so that it does nothing else.
fn is_understood(arguments: &[String]) -> Result<(), String> {
    let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let output = isotest(&[&arguments[..end], &["--help".to_owned()], &arguments[end..]].concat());
    let told = text(&output);
    let is_only_without_its_value = arguments.len() <= 2 && told.contains("a value is required for");
    let stands_for_a_value = |word: &String| word.chars().all(|c| c.is_ascii_uppercase());
    let mut stand_for_values = arguments.iter().filter(|word| stands_for_a_value(word));
    let is_only_wrong_there = stand_for_values.any(|word| told.contains(&format!("invalid value '{word}'")));
    if output.status.success() || is_only_without_its_value || is_only_wrong_there { Ok(()) } else { Err(told) }
}

fn isotest(arguments: &[String]) -> Output {
    Command::new(cargo_isotest()).arg("isotest").args(arguments).output().expect("cargo isotest starts")
}

fn run_with(options: &str) -> Vec<String> {
    [vec!["run".to_owned()], words(options)].concat()
}

/// What a piece of code of ours is typed as.
fn typed(code: &Code, alone_too: bool) -> Option<Vec<String>> {
    let command = code.text.strip_prefix("cargo isotest").map(words);
    let is_an_option = code.text.starts_with('-') && !code.text.trim_matches('-').is_empty() && alone_too;
    command.or_else(|| is_an_option.then(|| run_with(&code.text)))
}

#[test]
fn every_command_in_the_pages_can_be_typed() {
    assert!(is_understood(&run_with("--no-such-option")).is_err(), "that can't be typed");
    assert!(is_understood(&run_with("--partition hash:4/3")).is_err(), "that can't be typed");
    let pages = tree::pages();
    let commands = pages.iter().flat_map(|page| {
        let comparing = COMPARING.contains(&page.as_str());
        let code = code_of(&tree::text(page)).into_iter().filter(|code| !code.is_theirs());
        code.filter_map(|code| Some((page, typed(&code, comparing)?))).collect::<Vec<_>>()
    });
    let commands: Vec<_> = commands.collect();
    assert!(commands.len() > 100, "these can't be all: {}", commands.len());
    let wrong =
        commands.iter().filter_map(|(page, words)| Some(format!("{page}: {words:?}: {}", is_understood(words).err()?)));
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What docs/from-nextest.md says is missing.
fn missing() -> Vec<String> {
    let code = code_of(&tree::text("docs/from-nextest.md")).into_iter();
    code.filter(|code| code.section == MISSING && code.column == "nextest").map(|code| code.text).collect()
}

#[test]
fn what_is_said_to_be_missing_is_missing() {
    let missing = missing();
    assert!(missing.len() > 20, "these can't be all: {missing:?}");
    assert!(isotest(&words("help run")).status.success(), "that is there");
    for what in missing {
        let there = match what.strip_prefix("cargo nextest ") {
            Some(command) if !command.contains(' ') => isotest(&words(&format!("help {command}"))).status.success(),
            Some(command) => is_understood(&words(command)).is_ok(),
            None if what.starts_with('-') => is_understood(&run_with(&what)).is_ok(),
            None => continue,
        };
        assert!(!there, "`{what}` is there: take it out of docs/from-nextest.md's table of what is missing");
    }
}

#[test]
#[ignore = "needs cargo-nextest; .ci/run runs it"]
fn what_nextest_has_and_we_have_not_is_said() {
    let said: Vec<String> = missing().iter().flat_map(|what| words(what)).collect();
    for command in ["run", "list"] {
        let mut nextest = Command::new(env!("CARGO"));
        let help = nextest.args(["nextest", command, "--help"]).output().expect("cargo starts");
        assert!(help.status.success(), "cargo-nextest must be installed: {}", text(&help));
        let help = text(&help);
        // Deeper than that they are described, and those that stand after `--` named.
        let options = help.lines().filter(|line| line.starts_with("      --") || line.starts_with("  -"));
        let options = options.flat_map(|line| line.split([' ', '=', '[', '.']));
        let options: Vec<_> = options.filter(|word| word.starts_with("--")).collect();
        assert!(options.len() > 50, "these can't be all: {options:?}");
        for option in options {
            let ours = is_understood(&[command.to_owned(), option.to_owned()]).is_ok();
            assert!(ours || said.iter().any(|word| word == option), "{command} {option} is not said to be missing");
        }
    }
}

/// Where a page's links lead, without those to other places of it and to other sites.
fn links(page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://")).map(str::to_owned).collect()
}

#[test]
fn every_link_leads_to_a_file_and_readme_s_to_every_page() {
    for page in tree::pages() {
        let directory = root().join(&page).parent().expect("it is in a directory").to_owned();
        for link in links(&tree::text(&page)) {
            assert!(directory.join(&link).exists(), "{page} leads to {link}, which is not there");
        }
    }
    let of_readme = links(&tree::text("README.md"));
    let left_out: Vec<_> =
        tree::pages().into_iter().filter(|page| page != "README.md" && !of_readme.contains(page)).collect();
    assert!(left_out.is_empty(), "README has no link to {left_out:?}");
}

#[test]
fn the_exit_codes_in_help_are_readme_s() {
    let readme = tree::text("README.md");
    let codes = |text: &str, after: &str, end: &str| -> Vec<String> {
        let table = text.split(after).nth(1).and_then(|rest| rest.split(end).next()).expect("a table of exit codes");
        let first = |line: &str| line.trim_matches(['|', ' ']).split(' ').next().unwrap_or_default().to_owned();
        table.lines().map(first).filter(|word| word.parse::<u8>().is_ok()).collect()
    };
    let of_help = codes(&text(&isotest(&words("run --help"))), "Exit codes:", "\n\n");
    assert!(of_help.len() > 10, "these can't be all: {of_help:?}");
    assert_eq!(of_help, codes(&readme, "| exit code |", "\n\n"));
}
