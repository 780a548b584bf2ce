//! What is said where the test itself lacks what a lab takes: a capability, descriptors, namespaces?

use expect_test::{Expect, expect};
use isotest::isotest;
use isotest::lab::{Lab, Result};
use nix::sys::resource::{Resource, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T>, expected: &Expect) {
    expected.assert_eq(&result.expect_err("it can't be built").to_string());
}

/// A lab of that many hosts at one switch.
fn hosts(number: usize) -> Result<Lab> {
    let lab = Lab::new()?;
    let lan = lab.switch("lan")?;
    for host in 0..number {
        lan.attach(&lab.host(&format!("host-{host}"))?)?;
    }
    Ok(lab)
}

#[isotest]
fn without_its_capabilities_a_test_builds_no_lab() -> Result<()> {
    let lab = hosts(2)?;
    let CapabilitySets { effective, permitted, inheritable } = capabilities(None).expect("the kernel tells");
    assert!(effective.contains(CapabilitySet::NET_ADMIN | CapabilitySet::SYS_ADMIN));
    let less = |missing| CapabilitySets { effective: effective - missing, permitted, inheritable };
    set_capabilities(None, less(CapabilitySet::SYS_ADMIN)).expect("less is allowed");
    says(
        lab.up(),
        &expect![
            "making a network namespace for `host-0`: EPERM, Operation not permitted; building networks takes CAP_NET_ADMIN and CAP_SYS_ADMIN over the test's own namespaces, which `#[isotest]` gives: don't drop them before the lab is up"
        ],
    );
    Ok(())
}

#[isotest]
fn without_cap_net_admin_likewise() -> Result<()> {
    let lab = hosts(2)?;
    let CapabilitySets { effective, permitted, inheritable } = capabilities(None).expect("the kernel tells");
    let effective = effective - CapabilitySet::NET_ADMIN;
    set_capabilities(None, CapabilitySets { effective, permitted, inheritable }).expect("less is allowed");
    // What is refused first depends on who owns the files under /proc/sys.
    let refused = lab.up().expect_err("it can't be built").to_string();
    assert!(refused.contains("building networks takes CAP_NET_ADMIN"), "{refused}");
    Ok(())
}

#[isotest]
fn a_lab_that_takes_too_many_descriptors_says_so() -> Result<()> {
    setrlimit(Resource::RLIMIT_NOFILE, 65, 65).expect("less is allowed");
    says(
        hosts(100)?.up(),
        &expect![
            "opening an rtnetlink socket: EMFILE, Too many open files; raise the limit of open files (`ulimit -n`): a lab takes up to nine for each host"
        ],
    );
    // The opposite: a small one fits.
    hosts(2)?.up()
}

/// However far it came.
#[isotest]
fn a_lab_that_was_not_built_leaves_the_test_s_own_files_as_they_were() -> Result<()> {
    let own = || std::fs::read_to_string("/etc/hosts").expect("it can be read");
    let before = own();
    let mut failed = 0;
    for limit in (16..).step_by(2) {
        setrlimit(Resource::RLIMIT_NOFILE, limit, 1024).expect("no more than before");
        let lab = hosts(3)?;
        lab.link(&lab.here()?, &lab.host("alice")?)?;
        if lab.up().is_ok() {
            assert_ne!(own(), before, "the lab's hosts are known");
            break;
        }
        failed += 1;
        assert_eq!(own(), before, "with {limit} descriptors");
    }
    assert!(failed > 2, "it failed {failed} times");
    Ok(())
}

#[isotest(user = "root")]
fn a_lab_that_takes_too_many_namespaces_says_so() -> Result<()> {
    std::fs::write("/proc/sys/user/max_net_namespaces", "8").expect("a user namespace's own limit");
    // The opposite: a small one fits. It is held, because the kernel takes its time to give namespaces back.
    let small = hosts(2)?;
    small.up()?;
    says(
        hosts(100)?.up(),
        &expect![
            "making a network namespace for `host-4`: ENOSPC, No space left on device; the limit of namespaces is reached: see /proc/sys/user/max_net_namespaces"
        ],
    );
    drop(small);
    Ok(())
}
