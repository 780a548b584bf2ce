//! What did the user configure? The file `.config/isotest.toml`, checked from end to end before anything is built.
//!
//! [`Config::load`] reads the file and tells all its mistakes at once. [`Config::profile`] chooses one profile, which then
//! says what holds for the run ([`Profile::run`]) and for each test ([`Profile::settings_for`]), each value with who
//! said so. docs/configuration.md has all keys and the order of precedence.

mod chosen;
mod elsewhere;
mod filter;
mod forms;
mod layer;
pub(crate) mod mistake;
mod profile;
mod reader;
mod scripts;
mod shown;
mod spec;
mod units;
mod values;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use toml::de::DeTable;

use crate::filterset::{Needs, Packages};
pub(crate) use mistake::nearest;
use mistake::{Mistake, Mistakes, listed};
use profile::{Names, Written};
use reader::{File, Table, Value};

pub(crate) use chosen::{Profile, RunSettings};
pub(crate) use filter::Platforms;
pub(crate) use layer::{Layer, Source, Sourced, TestSettings};
pub(crate) use profile::RunLayer;
pub(crate) use scripts::{RelativeTo, Script};
pub(crate) use shown::{Row, threads};
pub(crate) use spec::{Change, SpecPatch};
pub(crate) use units::{duration, words};
pub(crate) use values::*;

/// Where the configuration is looked for, from the workspace's root.
pub(crate) const PLACE: &str = ".config/isotest.toml";

/// The configuration.
#[derive(Debug, Default)]
pub(crate) struct Config {
    place: String,
    text: String,
    profiles: BTreeMap<String, Written>,
    groups: Vec<(String, Threads)>,
    scripts: Vec<Script>,
}

impl Config {
    /// Reads the file at `chosen`, which must then be there; else the workspace's own, if there is one.
    pub(crate) fn load(root: &Path, chosen: Option<&Path>) -> Result<Config, Mistakes> {
        let path = chosen.map_or_else(|| root.join(PLACE), Path::to_owned);
        let place = if chosen.is_none() { PLACE.to_owned() } else { path.display().to_string() };
        match fs::read_to_string(&path) {
            Ok(text) => Config::parse(&place, text),
            Err(error) if error.kind() == ErrorKind::NotFound && chosen.is_none() => Ok(Config::default()),
            Err(error) => Err(Mistakes(format!("cannot read the configuration {place}: {error}"))),
        }
    }

    /// Reads the text of the file that is called `place`.
    pub(crate) fn parse(place: &str, text: String) -> Result<Config, Mistakes> {
        let (document, errors) = DeTable::parse_recoverable(&text);
        let file = File { text: &text, mistakes: RefCell::default() };
        if !errors.is_empty() {
            // What was recovered would give mistakes that nobody made.
            let mistakes = errors.iter().map(|error| {
                Mistake::new(error.span().unwrap_or(0..0), format!("this is not TOML: {}", error.message()))
            });
            return Err(Mistakes::render(place, &text, mistakes.collect()));
        }
        let (groups, scripts, profiles) = read(Table::new(&file, String::new(), document.span(), document.get_ref()));
        let mistakes = file.mistakes.take();
        if !mistakes.is_empty() {
            return Err(Mistakes::render(place, &text, mistakes));
        }
        Ok(Config { place: place.to_owned(), profiles, groups, scripts, text })
    }

    /// What must be known before its expressions mean anything.
    pub(crate) fn needs(&self) -> Needs {
        let filters = self.profiles.values().flat_map(Written::filters);
        filters.map(|filter| filter.expression.needs()).max().unwrap_or(Needs::Nothing)
    }

    /// Whether there is a profile of this name; `default` always is.
    pub(crate) fn check_profile(&self, name: &str) -> Result<(), Mistakes> {
        if name == "default" || self.profiles.contains_key(name) {
            return Ok(());
        }
        let names: Vec<&str> = self.profile_names().collect();
        let hint = match nearest(name, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there is {}", listed(&names)),
        };
        let place = match &*self.place {
            "" => format!(", and there is no {PLACE} to define it"),
            place => format!(" in {place}"),
        };
        Err(Mistakes(format!("no profile is called `{name}`{place}: {hint}")))
    }

    /// The names of all profiles.
    pub(crate) fn profile_names(&self) -> impl Iterator<Item = &str> {
        let written = self.profiles.keys().map(String::as_str);
        std::iter::once("default").chain(written.filter(|name| *name != "default"))
    }

    /// The names of all test groups, for [`crate::filterset::Expression::typed`].
    pub(crate) fn group_names(&self) -> Vec<&str> {
        self.groups.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The profile `name`, under what was typed. `packages` are those that [`Config::needs`] asks for.
    pub(crate) fn profile(
        &self,
        name: &str,
        packages: &Packages,
        platforms: Platforms,
        typed: (RunLayer, Layer),
    ) -> Result<Profile<'_>, Mistakes> {
        self.check_profile(name)?;
        Profile::understand(self, name, packages, platforms, typed)
    }

    fn mistakes(&self, mistakes: Vec<Mistake>) -> Mistakes {
        Mistakes::render(&self.place, &self.text, mistakes)
    }
}

/// The profile and those it inherits from, strongest first.
fn chain<'p>(profiles: &'p BTreeMap<String, Written>, name: &str) -> Vec<&'p Written> {
    let mut chain = Vec::new();
    let mut next = Some(name);
    while let Some(name) = next {
        let written = profiles.get(name);
        chain.extend(written);
        let inherits = written.and_then(|written| written.inherits.as_ref()).map(|(_, name)| name.as_str());
        next = if name == "default" { None } else { Some(inherits.unwrap_or("default")) };
    }
    chain
}

type Read = (Vec<(String, Threads)>, Vec<Script>, BTreeMap<String, Written>);

/// Reads the whole file.
fn read(mut top: Table<'_, '_>) -> Read {
    let groups = top.read("test-groups", Value::table).map(|table| groups(&table)).unwrap_or_default();
    let scripts = top.read("scripts", Value::table).map(scripts::read).unwrap_or_default();
    let names = Names { groups: groups.iter().map(|(name, _)| name.as_str()).collect(), scripts: &scripts };
    let mut profiles = BTreeMap::new();
    if let Some(table) = top.read("profile", Value::table) {
        for (name, _, value) in table.named() {
            if let Some(table) = value.table() {
                profiles.insert(name.to_owned(), profile::read(name, table, &names));
            }
        }
        let before = table.file.mistakes.borrow().len();
        check_inheritance(table.file, &profiles);
        if table.file.mistakes.borrow().len() == before {
            check_specs(table.file, &profiles);
        }
    }
    top.finish(elsewhere::AT_THE_TOP);
    (groups, scripts, profiles)
}

fn groups(table: &Table<'_, '_>) -> Vec<(String, Threads)> {
    let group = |(name, at, value): (&str, _, Value<'_, '_>)| {
        if name.is_empty() || name.starts_with('@') {
            table.file.note::<()>(Mistake::new(at, "a test group's name is not empty and does not start with `@`"));
        }
        let mut table = value.table()?;
        let threads = table.required("max-threads").and_then(|value| forms::threads(&value));
        table.finish(&[]);
        // A group that is there with a mistake is there: nobody wants to read that it is unknown as well.
        Some((name.to_owned(), threads.unwrap_or(Threads::NumCpus)))
    };
    table.named().filter_map(group).collect()
}

/// Everybody inherits from somebody who is there, and nobody from himself.
fn check_inheritance(file: &File<'_>, profiles: &BTreeMap<String, Written>) {
    for (name, written) in profiles {
        let Some((at, parent)) = &written.inherits else { continue };
        if parent != "default" && !profiles.contains_key(parent) {
            let mistake = Mistake::new(at.clone(), format!("there is no profile `{parent}`"));
            let others = profiles.keys().filter(|other| *other != name).map(String::as_str);
            file.note::<()>(mistake.guess(parent, others.filter(|other| *other != "default").chain(["default"])));
            continue;
        }
        let mut way = vec![name.as_str()];
        let mut next = Some(parent.as_str());
        while let Some(ancestor) = next.filter(|ancestor| !way[1..].contains(ancestor)) {
            way.push(ancestor);
            if ancestor == name {
                break;
            }
            next = profiles.get(ancestor).and_then(|written| Some(written.inherits.as_ref()?.1.as_str()));
        }
        if way.len() > 1 && way.last() == Some(&name.as_str()) {
            let message = format!("the profile `{name}` inherits from itself: {}", way.join(" → "));
            file.note::<()>(Mistake::new(at.clone(), message));
        }
    }
}

/// What a profile asks for, with all it inherits, must be possible.
fn check_specs(file: &File<'_>, profiles: &BTreeMap<String, Written>) {
    for (name, written) in profiles {
        let specs = chain(profiles, name).into_iter().map(|ancestor| &ancestor.tests.spec);
        let mut spec = isotest::Spec::default();
        specs.fold(SpecPatch::default(), |patch, weaker| patch.over(weaker)).apply(&mut spec, &[]);
        if let (Some(at), Some(contradiction)) = (&written.spec, spec.contradiction()) {
            file.note::<()>(Mistake::new(at.clone(), format!("in `profile.{name}.spec`, {contradiction}")));
        }
    }
}

#[cfg(test)]
mod tests;
