//! How do the engines read their files? As far as ours go.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use crate::checkout::{Job, text};

/// One job for each value of the matrix.
pub(crate) fn github() -> Vec<Job> {
    let file = yaml("docs/ci/github.yml");
    let job = &file["jobs"]["test"];
    assert_eq!(job["strategy"]["fail-fast"], Value::Bool(false), "a failure would stop the other machines");
    let shards = list(&job["strategy"]["matrix"]["shard"]);
    shards
        .iter()
        .map(|shard| {
            let shard = shard.as_u64().expect("a number").to_string();
            let filled_in = |text: &str| {
                let text = text.replace("${{ matrix.shard }}", &shard);
                assert!(!text.contains("${{"), "what is in {text}?");
                text
            };
            let steps = list(&job["steps"]);
            let upload = steps
                .iter()
                .find(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/upload-artifact@")));
            let upload = upload.expect("reports are uploaded");
            assert_eq!(upload["if"].as_str(), Some("${{ !cancelled() }}"), "a failure is to be uploaded, too");
            assert!(
                string(&upload["with"]["name"]).contains("${{ matrix.shard }}"),
                "two artifacts of one name are an error"
            );
            let commands = steps.iter().filter_map(|step| step["run"].as_str()).flat_map(str::lines);
            Job {
                commands: commands.map(filled_in).collect(),
                reports: string(&upload["with"]["path"]).lines().map(filled_in).collect(),
                variables: BTreeMap::from([("GITHUB_ACTIONS", "true".to_owned())]),
            }
        })
        .collect()
}

/// One job for each of those that are parallel.
pub(crate) fn gitlab() -> Vec<Job> {
    let file = yaml("docs/ci/gitlab.yml");
    let job = &file["test"];
    let total = job["parallel"].as_u64().expect("a number");
    assert_eq!(job["artifacts"]["when"].as_str(), Some("always"), "a failure is to be uploaded, too");
    (1..=total)
        .map(|index| Job {
            commands: list(&job["script"]).iter().map(|line| string(line).to_owned()).collect(),
            reports: vec![string(&job["artifacts"]["reports"]["junit"]).to_owned()],
            variables: BTreeMap::from([
                ("GITLAB_CI", "true".to_owned()),
                ("CI_NODE_INDEX", index.to_string()),
                ("CI_NODE_TOTAL", total.to_string()),
            ]),
        })
        .collect()
}

fn yaml(path: &str) -> Value {
    serde_yaml_ng::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_sequence().unwrap_or_else(|| panic!("{value:?} is no list"))
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value:?} is no text"))
}
