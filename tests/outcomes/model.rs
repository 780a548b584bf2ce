//! What must become of each test of the fixture `sampler`, under every runner.

/// One test of the fixture and what it comes to.
pub(crate) struct Expected {
    pub(crate) name: &'static str,
    /// `cargo isotest`'s status word; `None` for a test that is skipped.
    pub(crate) status: Option<&'static str>,
    /// What its report must contain where it fails.
    pub(crate) says: &'static str,
}

const fn passes(name: &'static str) -> Expected {
    Expected { name, status: Some("PASS"), says: "" }
}

const fn fails(name: &'static str, status: &'static str, says: &'static str) -> Expected {
    Expected { name, status: Some(status), says }
}

/// The tests of `tests/outcomes.rs` in the fixture.
pub(crate) const OUTCOMES: &[Expected] = &[
    passes("passes"),
    fails("fails_an_assertion", "FAIL", "assertion `left == right` failed: arithmetic"),
    fails("panics_without_a_string", "FAIL", "Box<dyn Any>"),
    fails("returns_err", "FAIL", "Error: \"as promised\""),
    fails("exits_with_success", "EXIT", "exited before it finished (exit status 0)"),
    fails("leaves_without_a_word", "EXIT", "exited before it finished (exit status 0)"),
    fails("aborts", "SIGABRT", "was killed by signal 6 (SIGABRT)"),
    fails("segfaults", "SIGSEGV", "was killed by signal 11 (SIGSEGV)"),
    fails("overflows_its_stack", "SIGABRT", "has overflowed its stack"),
    fails("is_killed_by_a_signal", "SIGTERM", "was killed by signal 15 (SIGTERM)"),
    fails("stops_itself", "FAIL", "stopped itself"),
    passes("panics_as_it_should"),
    passes("panics_with_the_expected_words"),
    fails("panics_with_other_words", "FAIL", "panic did not contain expected string"),
    fails("does_not_panic_as_it_should", "FAIL", "test did not panic as expected"),
    fails("aborts_instead_of_panicking", "SIGABRT", "was killed by signal 6 (SIGABRT)"),
    Expected { name: "is_ignored", status: None, says: "" },
    Expected { status: Some("LEAK"), ..passes("leaves_a_process_behind") },
    passes("writes_bytes_that_are_no_text"),
    passes("plain_passes"),
    fails("plain_fails", "FAIL", "a plain failure"),
    passes("plain_exits_with_success"),
];
