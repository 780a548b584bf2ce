//! Every mistake with the attribute is an error on the guilty token that says what to write instead.
//!
//! One file per mistake, the compiler's words beside it; `TRYBUILD=overwrite cargo test --test ui` writes those anew.
//! What must compile is in the fixture `expansion`, because trybuild does not build for tests and so sees none.

use isotest_tests::{Fixture, text};

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/mistakes/*.rs");
}

#[test]
fn a_return_type_that_is_no_termination_is_pointed_at() {
    let target = "return_type_that_is_no_termination";
    let mut check = Fixture("expansion").cargo(&["check", "--features", "mistakes", "--test", target]);
    let text = text(&check.output().expect("cargo starts"));
    assert!(text.contains("the trait bound `u32: Termination` is not satisfied"), "{text}");
    assert!(text.contains("--> mistakes/return_type_that_is_no_termination.rs:2:16"), "{text}");
}
