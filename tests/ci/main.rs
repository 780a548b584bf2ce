//! What docs/ci tells engines to do is done here: on one fresh checkout for each of the machines.

mod engines;
mod machine;

use engines::Pipeline;
use machine::{Has, Machine};

/// The tests of the fixture `sharded`.
const ALL: [&str; 12] =
    ["anne", "bert", "carl", "dora", "emil", "frida", "gustav", "hanna", "ida", "jakob", "karla", "ludwig"];

#[test]
fn github_actions_runs_each_test_on_one_machine() {
    run_each_test_once(&engines::github("docs/ci/github.yml"));
}

#[test]
fn github_actions_builds_once_and_makes_one_report() {
    let pipeline = engines::github("docs/ci/github-archive.yml");
    assert!(pipeline.build.is_some() && pipeline.report.is_some());
    run_each_test_once(&pipeline);
}

#[test]
fn gitlab_runs_each_test_on_one_machine() {
    run_each_test_once(&engines::gitlab("docs/ci/gitlab.yml"));
}

#[test]
fn gitlab_builds_once() {
    let pipeline = engines::gitlab("docs/ci/gitlab-archive.yml");
    assert!(pipeline.build.is_some());
    run_each_test_once(&pipeline);
}

/// One test fails, so that what follows a failure is seen, too.
fn run_each_test_once(pipeline: &Pipeline) {
    let Pipeline { build, tests: jobs, report, keeps_permissions } = pipeline;
    assert!(jobs.len() > 1, "one machine has no share: {jobs:?}");
    let built = build.as_ref().map(|job| {
        let machine = Machine::with_checkout();
        assert_eq!(machine.run(job, Has::Cargo), 0);
        (job, machine)
    });
    let with_build = |machine: Machine| {
        if let Some((job, of)) = &built {
            machine.gets(job, of, *keeps_permissions);
        }
        machine
    };
    let has = if built.is_some() { Has::NoCargo } else { Has::Cargo };
    let (mut ran, mut reported, mut failed) = (Vec::new(), Vec::new(), 0);
    let last = with_build(Machine::empty());
    for job in jobs {
        let machine = with_build(Machine::with_checkout());
        let code = machine.run(job, has);
        let [kept] = &job.keeps[..] else { panic!("one report is kept: {job:?}") };
        let tests = machine.reported(kept);
        assert_eq!(code, if tests.iter().any(|test| test == "ludwig") { 100 } else { 0 }, "{job:?}");
        failed += i32::from(code != 0);
        ran.extend(machine.ran());
        reported.extend(tests);
        last.gets(job, &machine, *keeps_permissions);
    }
    if let Some(job) = report {
        assert_eq!(last.run(job, has), 0);
        let [kept] = &job.keeps[..] else { panic!("one report is kept: {job:?}") };
        reported = last.reported(kept);
    }
    ran.sort_unstable();
    reported.sort_unstable();
    assert_eq!(ran, ALL);
    assert_eq!(reported, ALL);
    assert_eq!(failed, 1);
}

#[test]
fn what_the_engines_must_allow_is_what_the_report_of_a_refusal_says() {
    let page = machine::text("docs/ci.md");
    let said = machine::text("isotest-core/src/diagnose/causes.rs").replace("\\\n                 ", "");
    for remedy in [
        "kernel.apparmor_restrict_unprivileged_userns=0",
        "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined",
        "podman run --security-opt seccomp=unconfined --security-opt unmask=ALL",
        "seccompProfile: {type: Unconfined}",
    ] {
        assert!(page.contains(remedy), "docs/ci.md lacks {remedy}");
        assert!(said.contains(remedy), "no report says {remedy}");
    }
}
