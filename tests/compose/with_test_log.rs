//! `#[test_log::test]`: the logger is set up in the sandbox.

use isotest::isotest;

#[isotest]
#[test_log::test]
fn the_logger_is_there() {
    assert_eq!(std::process::id(), 2);
    assert!(log::log_enabled!(log::Level::Error));
}

#[isotest]
fn without_test_log_there_is_none() {
    assert!(!log::log_enabled!(log::Level::Error));
}

#[isotest]
#[test_log::test(tokio::test)]
async fn three_attributes_are_no_different() {
    assert_eq!(std::process::id(), 2);
    assert!(log::log_enabled!(log::Level::Error));
}
