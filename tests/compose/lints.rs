//! Tests on which clippy, at its strictest, has nothing to say: `cargo clippy` is what checks them.
#![warn(
    clippy::pedantic,
    clippy::nursery,
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::arbitrary_source_item_ordering,
    clippy::as_conversions,
    clippy::default_numeric_fallback,
    clippy::exhaustive_enums,
    clippy::implicit_return,
    clippy::missing_docs_in_private_items,
    clippy::missing_inline_in_public_items,
    clippy::missing_trait_methods,
    clippy::min_ident_chars,
    clippy::multiple_inherent_impl,
    clippy::pattern_type_mismatch,
    clippy::question_mark_used,
    clippy::redundant_test_prefix,
    clippy::same_name_method,
    clippy::single_call_fn,
    clippy::std_instead_of_core,
    clippy::tests_outside_test_module,
    clippy::unwrap_in_result
)]
#![expect(clippy::tests_outside_test_module, reason = "they stand in a test target")]

use isotest::isotest;

#[isotest(env(A = "b"), hostname = "db-1", init = true, net = "isolated", processes = 64, timeout = "1m", tmp = "1M")]
fn every_argument_is_quiet() {}

#[isotest]
#[should_panic(expected = "these words")]
fn a_panic_is_quiet() {
    panic!("these words");
}
