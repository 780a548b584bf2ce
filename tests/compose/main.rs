//! `#[isotest]` together with what else may stand on a test: other attributes, return types, names, lints.
//!
//! The modules `with_…` and `lints` are such tests. The others run the fixture `expansion`, where a test that fails has
//! to be reported as one, by every runner.

mod at_once;
mod expansion;
mod failures;
mod forms;
mod lints;
mod with_rstest;
mod with_test_log;
mod with_tokio;
