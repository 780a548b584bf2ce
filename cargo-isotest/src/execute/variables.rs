//! What is a test told in its environment? What nextest tells one as `NEXTEST_…`.

use std::num::NonZeroUsize;

use crate::event::Case;

/// What is the same for all tests of a run.
#[derive(Debug)]
pub(crate) struct OfTheRun {
    id: String,
    profile: String,
    copies: Option<NonZeroUsize>,
}

impl OfTheRun {
    /// Of a run that begins now. `copies` are how often each test runs, if anybody knows.
    pub(crate) fn new(profile: &str, copies: Option<usize>) -> OfTheRun {
        let id = format!("{:032x}", fastrand::u128(..));
        OfTheRun { id, profile: profile.to_owned(), copies: copies.and_then(NonZeroUsize::new) }
    }
}

/// For the attempt with this number.
pub(super) fn of(case: Case<'_, '_>, attempt: u32, run: &OfTheRun) -> Vec<(String, String)> {
    let settings = &case.test.settings;
    let mut variables = vec![
        ("ISOTEST", "1".to_owned()),
        ("ISOTEST_RUN_ID", run.id.clone()),
        ("ISOTEST_PROFILE", run.profile.clone()),
        ("ISOTEST_BINARY_ID", case.ready.binary.id.clone()),
        ("ISOTEST_TEST_NAME", case.test.name.clone()),
        ("ISOTEST_ATTEMPT", attempt.to_string()),
        ("ISOTEST_TOTAL_ATTEMPTS", (settings.retries.value.count + 1).to_string()),
        ("ISOTEST_TEST_GROUP", settings.group.value.as_deref().unwrap_or("@global").to_owned()),
    ];
    if let Some(copy) = case.copy {
        let total = run.copies.map_or_else(|| "infinite".to_owned(), |copies| copies.to_string());
        variables.push(("ISOTEST_STRESS_CURRENT", copy.to_string()));
        variables.push(("ISOTEST_STRESS_TOTAL", total));
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
