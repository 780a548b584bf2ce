//! Every mistake with the attribute is an error on the guilty token that says what to write instead.
//!
//! One file per mistake, the compiler's words beside it; `TRYBUILD=overwrite cargo test --test ui` writes those anew.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/mistakes/*.rs");
}
