//! How do the engines read their files? As far as ours go.

use std::collections::BTreeMap;

use serde_yaml_ng::Value;

use crate::machine::text;

/// What one machine is to do.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) commands: Vec<String>,
    /// The files that are kept of it.
    pub(crate) keeps: Vec<String>,
    pub(crate) variables: BTreeMap<&'static str, String>,
}

/// The machines of one file.
pub(crate) struct Pipeline {
    /// Where one builds for all.
    pub(crate) build: Option<Job>,
    pub(crate) tests: Vec<Job>,
    /// Where one makes one report of theirs.
    pub(crate) report: Option<Job>,
    /// Whether files that are kept are still programs afterwards.
    pub(crate) keeps_permissions: bool,
}

/// One test job for each value of the matrix.
pub(crate) fn github(path: &str) -> Pipeline {
    let file = yaml(path);
    let jobs = &file["jobs"];
    let test = &jobs["test"];
    assert_eq!(test["strategy"]["fail-fast"], Value::Bool(false), "a failure would stop the other machines");
    let upload = upload(test).expect("reports are uploaded");
    assert_eq!(upload["if"].as_str(), Some("${{ !cancelled() }}"), "a failure is to be uploaded, too");
    assert!(string(&upload["with"]["name"]).contains("${{ matrix.shard }}"), "two artifacts of one name are an error");
    let shards = list(&test["strategy"]["matrix"]["shard"]).iter().map(|shard| shard.as_u64().expect("a number"));
    Pipeline {
        build: jobs.get("build").map(|job| github_job(job, "")),
        tests: shards.map(|shard| github_job(test, &shard.to_string())).collect(),
        report: jobs.get("report").map(|job| {
            assert_eq!(job["if"].as_str(), Some("${{ !cancelled() }}"), "failures are to be reported, too");
            github_job(job, "")
        }),
        keeps_permissions: false,
    }
}

fn github_job(job: &Value, shard: &str) -> Job {
    let filled_in = |text: &str| {
        let text = text.replace("${{ matrix.shard }}", shard);
        assert!(!text.contains("${{"), "what is in {text}?");
        text
    };
    let commands = list(&job["steps"]).iter().filter_map(|step| step["run"].as_str()).flat_map(str::lines);
    Job {
        commands: commands.map(filled_in).collect(),
        keeps: upload(job).map_or("", |step| string(&step["with"]["path"])).lines().map(filled_in).collect(),
        variables: BTreeMap::from([("GITHUB_ACTIONS", "true".to_owned())]),
    }
}

fn upload(job: &Value) -> Option<&Value> {
    let uploads =
        |step: &&Value| step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/upload-artifact@"));
    list(&job["steps"]).iter().find(uploads)
}

/// One test job for each of those that are parallel. GitLab puts their reports together itself.
pub(crate) fn gitlab(path: &str) -> Pipeline {
    let file = yaml(path);
    let test = &file["test"];
    let total = test["parallel"].as_u64().expect("a number");
    assert_eq!(test["artifacts"]["when"].as_str(), Some("always"), "a failure is to be uploaded, too");
    let one_of =
        |index: u64| BTreeMap::from([("CI_NODE_INDEX", index.to_string()), ("CI_NODE_TOTAL", total.to_string())]);
    Pipeline {
        build: file.get("build").map(|job| {
            let keeps = list(&job["artifacts"]["paths"]).iter().map(|path| string(path).to_owned()).collect();
            Job { commands: script(job), keeps, variables: BTreeMap::new() }
        }),
        tests: (1..=total)
            .map(|index| {
                let keeps = vec![string(&test["artifacts"]["reports"]["junit"]).to_owned()];
                Job { commands: script(test), keeps, variables: one_of(index) }
            })
            .collect(),
        report: None,
        keeps_permissions: true,
    }
}

fn script(job: &Value) -> Vec<String> {
    list(&job["script"]).iter().map(|line| string(line).to_owned()).collect()
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
