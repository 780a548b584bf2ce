//! Which tests are in one binary?

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use isotest::Spec;
use isotest::runner::{Client, Isolation, Known};

use super::heard::{self, Heard, problem};
use super::kept::Identity;
use super::ours::{Manner, Ours};
use super::{Harness, Test, answers};
use crate::Problem;
use crate::compile::Binary;
use crate::config::TestSettings;

/// A binary that was looked into.
pub(super) struct Opened {
    /// Whether it is a fork server that runs its tests, and that server, if it was started.
    pub(super) has_door: bool,
    pub(super) server: Option<Client>,
    /// Its tests.
    pub(super) found: Vec<Found>,
}

/// One of its tests.
pub(super) struct Found {
    name: String,
    ignored: bool,
    wrapped: bool,
    /// What its attribute says, if anything.
    known: Option<Box<Known>>,
    harness: Harness,
}

impl Found {
    fn plain(name: String, harness: Harness) -> Found {
        Found { name, ignored: false, wrapped: false, known: None, harness }
    }

    /// A test of the binary at this place, of which nobody has looked up the settings yet.
    pub(super) fn into_test(self, binary: usize, unsettled: &Rc<TestSettings>, asks_for_nothing: &Rc<Spec>) -> Test {
        let (spec, should_panic, written) =
            self.known.map_or_else(Default::default, |known| (known.spec, known.should_panic, known.written));
        Test {
            binary,
            name: self.name,
            ignored: self.ignored,
            spec: spec.map_or_else(|| Rc::clone(asks_for_nothing), Rc::new),
            wrapped: self.wrapped,
            should_panic,
            written,
            isolation: Isolation::Required,
            harness: self.harness,
            settings: Rc::clone(unsettled),
            left_out: None,
        }
    }
}

impl Opened {
    /// Asks the binary, unless it is known what it would say.
    pub(super) fn open(binary: &Binary, manner: &Manner<'_>, ours: &Ours) -> Result<Opened, Problem> {
        // Before it is asked. Where there is no such file, asking will tell.
        let identity = Identity::of(&binary.executable).ok();
        if let Some(heard) = identity.as_ref().and_then(|identity| manner.kept.read(binary, identity))
            && let Ok(found) = found(binary, &heard)
        {
            return Ok(Opened { has_door: heard.has_door, server: None, found });
        }
        let (heard, server) = heard::ask(binary, manner, ours)?;
        if let Some(identity) = identity {
            manner.kept.write(binary, identity, &heard);
        }
        Ok(Opened { has_door: heard.has_door, server, found: found(binary, &heard)? })
    }
}

/// The tests that it has told of.
fn found(binary: &Binary, heard: &Heard) -> Result<Vec<Found>, Problem> {
    let names = answers::names(&heard.all).filter(|_| heard.harness != Harness::None);
    // It said nothing and has perhaps run all its tests: in a sandbox, unheard.
    let is_silent = names.as_ref().is_none_or(|names| names.is_empty() && binary.has_harness_of_its_own());
    let Some(names) = names.filter(|_| !is_silent) else {
        // Then the binary itself is one test.
        return Ok(vec![Found::plain(binary.name.clone(), Harness::None)]);
    };
    let mut found: Vec<Found> = names.into_iter().map(|name| Found::plain(name.to_owned(), heard.harness)).collect();
    let ignored: HashSet<&str> = answers::names(&heard.ignored).unwrap_or_default().into_iter().collect();
    if !ignored.is_empty() {
        found.iter_mut().for_each(|test| test.ignored = ignored.contains(&*test.name));
    }
    recognise(binary, &heard.registry, &mut found)?;
    Ok(found)
}

/// Reads which of the tests are `#[isotest]` functions. There may be thousands, of most of which only the name is told.
fn recognise(binary: &Binary, registry: &str, found: &mut [Found]) -> Result<(), Problem> {
    let mut known: HashMap<Cow<'_, str>, Option<Known>> = HashMap::new();
    for line in registry.lines() {
        let told = Known::read(line).map_err(|error| problem(binary, &error))?;
        match told.says_more_than_its_name() {
            true => known.insert(Cow::Owned(told.name.clone()), Some(told)),
            false => known.insert(Cow::Borrowed(line), None),
        };
    }
    for test in found {
        if let Some(known) = known.get_mut(&*test.name) {
            (test.wrapped, test.known) = (true, known.take().map(Box::new));
        }
    }
    Ok(())
}
