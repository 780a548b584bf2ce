//! The code of docs/recipes.md: what one comes across in the field, made in a test.
#![expect(
    clippy::unwrap_in_result,
    reason = "the lab's errors are returned, a test's own assumptions panic where they stand"
)]

mod captive_portal;
mod hole_punching;
mod ipv6_only;
mod mtu_black_hole;
mod slow_start;
mod split_brain;
