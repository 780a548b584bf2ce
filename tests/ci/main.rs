//! What docs/ci tells engines to do is done here: on one fresh checkout for each of the machines.

mod checkout;
mod engines;

use checkout::{Checkout, Job};

/// The tests of the fixture `sharded`.
const ALL: [&str; 12] =
    ["anne", "bert", "carl", "dora", "emil", "frida", "gustav", "hanna", "ida", "jakob", "karla", "ludwig"];

#[test]
fn github_actions_runs_each_test_on_one_machine() {
    run_each_test_once(&engines::github());
}

#[test]
fn gitlab_runs_each_test_on_one_machine() {
    run_each_test_once(&engines::gitlab());
}

/// One test fails, so that what follows a failure is seen, too.
fn run_each_test_once(jobs: &[Job]) {
    assert!(jobs.len() > 1, "one machine has no share: {jobs:?}");
    let (mut ran, mut reported, mut failed) = (Vec::new(), Vec::new(), 0);
    for job in jobs {
        let checkout = Checkout::new();
        let code = checkout.run(job);
        let [report] = &job.reports[..] else { panic!("one report is uploaded: {job:?}") };
        let tests = checkout.reported(report);
        assert_eq!(code, if tests.iter().any(|test| test == "ludwig") { 100 } else { 0 }, "{job:?}");
        failed += i32::from(code != 0);
        ran.extend(checkout.ran());
        reported.extend(tests);
    }
    ran.sort_unstable();
    reported.sort_unstable();
    assert_eq!(ran, ALL);
    assert_eq!(reported, ALL);
    assert_eq!(failed, 1);
}

#[test]
fn what_the_engines_must_allow_is_what_the_report_of_a_refusal_says() {
    let page = checkout::text("docs/ci.md");
    let said = checkout::text("isotest-core/src/diagnose/causes.rs").replace("\\\n                 ", "");
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
