//! What shells and `man` are told of the command line.

use std::fs;
use std::process::Command;

use isotest_tests::{cargo_isotest, clean, text};

/// What `cargo isotest ARGUMENTS` prints.
fn printed(arguments: &[&str]) -> String {
    let mut command = clean(Command::new(cargo_isotest()));
    let output = command.arg("isotest").args(arguments).output().expect("cargo isotest starts");
    assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a shell prints that runs this after it has read our completions.
fn in_shell(program: &[&str], before: &str, after: &str) -> String {
    let script = format!("{before}\n{}\n{after}\n", printed(&["completions", program[0]]));
    let place = tempfile::tempdir().expect("a directory can be made");
    let path = place.path().join("script");
    fs::write(&path, script).expect("it can be written");
    let mut shell = clean(Command::new(program[0]));
    let output = shell.args(&program[1..]).arg(path).output().expect("the shell starts");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const BASH: [&str; 3] = ["bash", "--norc", "--noprofile"];

/// Completes the last of the words as bash does.
const COMPLETE: &str = r#"
complete_words() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    local registered=$(complete -p "$1")
    [[ "$registered" =~ -F\ ([^ ]+) ]]
    "${BASH_REMATCH[1]}" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    echo "${COMPREPLY[*]}"
}
"#;

#[test]
fn bash_completes_commands_options_and_values() {
    let after = |words: &str| in_shell(&BASH, COMPLETE, &format!("complete_words {words}"));
    assert_eq!(after("cargo-isotest run --stress-"), "--stress-count --stress-duration\n");
    assert_eq!(after("cargo-isotest show"), "show-config\n");
    assert_eq!(after("cargo-isotest run --run-ignored ''"), "default only all\n");
    assert_eq!(after("cargo isotest run --stress-"), "--stress-count --stress-duration\n");
    assert_eq!(after("cargo isotest list --message-format json"), "json json-pretty\n");
}

#[test]
fn bash_completes_the_rest_of_cargo_as_before() {
    let before = format!("{COMPLETE}before() {{ COMPREPLY=(\"before $2\"); }}\n");
    let with = |registered: &str| {
        let words = "complete_words cargo bu; complete_words cargo isotest sh; complete_words cargo isotest";
        in_shell(&BASH, &format!("{before}{registered}"), words)
    };
    let expected = "before bu\nshow-config\nbefore isotest\n";
    assert_eq!(with("complete -F before cargo"), expected);
    // As bash-completion does, when it is needed.
    assert_eq!(with("_completion_loader() { complete -F before \"$1\"; return 124; }"), expected);
    assert_eq!(with(""), "\nshow-config\n\n");
}

#[test]
#[ignore = "needs zsh and fish; .ci/run runs it"]
fn zsh_and_fish_complete_as_well() {
    let fish = |words: &str| in_shell(&["fish", "--no-config"], "", &format!("complete -C '{words}'"));
    for words in ["cargo-isotest run --stress-", "cargo isotest run --stress-"] {
        let offered = fish(words);
        assert!(offered.contains("--stress-count\t") && offered.contains("--stress-duration\t"), "{words}: {offered}");
    }
    // Zsh's own completion of cargo calls the function of this name for `cargo isotest`.
    let zsh = in_shell(
        &["zsh", "-f"],
        "autoload -U compinit; compinit -D -u",
        "whence -w _cargo-isotest; echo $_comps[cargo-isotest]",
    );
    assert_eq!(zsh, "_cargo-isotest: function\n_cargo-isotest\n");
}

#[test]
fn each_command_has_a_manual_page_with_all_its_options() {
    let place = tempfile::tempdir().expect("a directory can be made");
    let directory = place.path().join("man1");
    printed(&["man", directory.to_str().expect("a path of text")]);
    let commands = printed(&["--help"]);
    let commands = commands.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help");
    let commands: Vec<_> = commands.map(str::to_owned).collect();
    assert!(commands.contains(&"run".to_owned()) && commands.len() > 5, "these can't be all: {commands:?}");
    for command in ["".to_owned()].iter().chain(&commands) {
        let command = command.as_str();
        let name = ["cargo-isotest", command].join("-");
        let path = directory.join(format!("{}.1", name.trim_end_matches('-')));
        let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(page.contains(".TH cargo"), "{page}");
        let help = printed(&[&[command][usize::from(command.is_empty())..], &["--help"]].concat());
        let options = help.lines().filter(|line| line.starts_with("      --") || line.starts_with("  -"));
        let options = options.flat_map(|line| line.split([' ', '=', '[', '.'])).filter(|word| word.starts_with("--"));
        let options: Vec<_> = options.collect();
        assert!(!options.is_empty(), "{help}");
        for option in options {
            assert!(page.contains(&option.replace('-', "\\-")), "{name} lacks {option}");
        }
    }
    assert_eq!(fs::read_dir(&directory).expect("a directory").count(), commands.len() + 1);
    let run = fs::read_to_string(directory.join("cargo-isotest-run.1")).expect("a page");
    assert!(run.contains(".SH \"EXIT STATUS\"") && run.contains("120"), "{run}");
}

#[test]
fn manual_pages_that_can_t_be_written_are_an_error() {
    let mut command = clean(Command::new(cargo_isotest()));
    let output = command.args(["isotest", "man", "/proc/no/man1"]).output().expect("cargo isotest starts");
    assert_eq!(output.status.code(), Some(110));
    assert!(text(&output).contains("error: cannot write manual pages to /proc/no/man1: "), "{}", text(&output));
}
