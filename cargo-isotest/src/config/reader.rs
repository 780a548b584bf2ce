//! How is a table read so that every mistake in it is told, with its place?
//!
//! A [`Table`] is asked for each key it may have; what was not asked for is unknown. A value that is wrong is noted in
//! the [`File`] and read as if it were absent, so that reading goes on to the next mistake.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use clap::ValueEnum;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, line_of};
use super::units;

/// The text that is read, and what is wrong with it.
pub(super) struct File<'t> {
    pub(super) text: &'t str,
    pub(super) mistakes: RefCell<Vec<Mistake>>,
}

impl File<'_> {
    /// Notes a mistake; what is wrong is absent.
    pub(super) fn note<T>(&self, mistake: Mistake) -> Option<T> {
        self.mistakes.borrow_mut().push(mistake);
        None
    }

    /// The line of a byte.
    pub(super) fn line(&self, at: usize) -> usize {
        line_of(self.text, at)
    }
}

/// A table of the file.
pub(super) struct Table<'f, 't> {
    /// What is read.
    pub(super) file: &'f File<'t>,
    /// Its dotted name; empty for the file itself.
    pub(super) name: String,
    /// Where it stands.
    pub(super) at: Range<usize>,
    entries: Vec<(&'f str, Range<usize>, &'f Spanned<DeValue<'t>>)>,
    asked: Vec<&'static str>,
}

impl<'f, 't> Table<'f, 't> {
    /// To be read from here on.
    pub(super) fn new(file: &'f File<'t>, name: String, at: Range<usize>, table: &'f DeTable<'t>) -> Table<'f, 't> {
        let entries = table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|(_, at, _)| at.start); // The order of the file means something to people and scripts.
        Table { file, name, at, entries, asked: Vec::new() }
    }

    fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// The value of this key, if it is there.
    pub(super) fn value(&mut self, key: &'static str) -> Option<Value<'f, 't>> {
        self.asked.push(key);
        let (_, at, value) = self.entries.iter().find(|(name, ..)| *name == key)?;
        Some(Value { file: self.file, name: self.name_of(key), key: at.clone(), value })
    }

    /// What the value of this key reads as, if it is there and right.
    pub(super) fn read<T>(&mut self, key: &'static str, read: impl FnOnce(&Value<'f, 't>) -> Option<T>) -> Option<T> {
        read(&self.value(key)?)
    }

    /// The value of a key that must be there.
    pub(super) fn required(&mut self, key: &'static str) -> Option<Value<'f, 't>> {
        let value = self.value(key);
        if value.is_none() {
            let message = format!("`{}` has no `{key}`", self.name);
            return self.file.note(Mistake::new(self.at.clone(), message).help(format!("`{key}` must be there")));
        }
        value
    }

    /// Keys and values of a table whose keys are names.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'f str, Range<usize>, Value<'f, 't>)> {
        self.entries.iter().map(|(key, at, value)| {
            let value = Value { file: self.file, name: self.name_of(key), key: at.clone(), value };
            (*key, at.clone(), value)
        })
    }

    /// The part of the file that sets this key.
    pub(super) fn place_of(&self, key: &str) -> Option<Range<usize>> {
        self.entries.iter().find(|(name, ..)| *name == key).map(|(_, at, _)| at.clone())
    }

    /// Notes all keys that nobody asked for. `elsewhere`: keys that nextest has, and what to write instead.
    pub(super) fn finish(self, elsewhere: &[(&str, &str)]) {
        for (key, at, _) in &self.entries {
            if self.asked.contains(key) {
                continue;
            }
            if let Some((_, instead)) = elsewhere.iter().find(|(name, _)| name == key) {
                let mistake = Mistake::new(at.clone(), format!("isotest has no `{}`", self.name_of(key)));
                self.file.note::<()>(mistake.help(*instead));
                continue;
            }
            let place = if self.name.is_empty() { "here".to_owned() } else { format!("in `{}`", self.name) };
            let mistake = Mistake::new(at.clone(), format!("unknown key `{key}` {place}"));
            self.file.note::<()>(mistake.guess(key, self.asked.iter().copied()));
        }
    }
}

/// A value of the file.
#[derive(Clone)]
pub(super) struct Value<'f, 't> {
    /// What is read.
    pub(super) file: &'f File<'t>,
    /// Its dotted name.
    pub(super) name: String,
    key: Range<usize>,
    value: &'f Spanned<DeValue<'t>>,
}

impl<'f, 't> Value<'f, 't> {
    /// Where it stands.
    pub(super) fn at(&self) -> Range<usize> {
        self.value.span()
    }

    /// The line of its key.
    pub(super) fn line(&self) -> usize {
        self.file.line(self.key.start)
    }

    /// Notes that it has the wrong type.
    pub(super) fn wrong_type<T>(&self, expected: &str) -> Option<T> {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.wrong(&format!("is {expected}"), &format!("this is {found}"))
    }

    /// Notes that it is wrong: what the key should be, and what this is.
    pub(super) fn wrong<T>(&self, should: &str, this: &str) -> Option<T> {
        self.file.note(Mistake::new(self.at(), format!("`{}` {should}", self.name)).label(this))
    }

    /// Whether it is a table.
    pub(super) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// Whether it is an array.
    pub(super) fn is_array(&self) -> bool {
        self.value.get_ref().is_array()
    }

    /// As a table.
    pub(super) fn table(&self) -> Option<Table<'f, 't>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Table::new(self.file, self.name.clone(), self.key.clone(), table)),
            _ => self.wrong_type("a table"),
        }
    }

    /// As an array.
    pub(super) fn array(&self) -> Option<Vec<Value<'f, 't>>> {
        let DeValue::Array(array) = self.value.get_ref() else { return self.wrong_type("an array") };
        let elements = array.iter().enumerate().map(|(at, value)| Value {
            file: self.file,
            name: format!("{}[{at}]", self.name),
            key: value.span(),
            value,
        });
        Some(elements.collect())
    }

    /// The string it is, if it is one.
    pub(super) fn as_string(&self) -> Option<&'f str> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        }
    }

    /// As a string.
    pub(super) fn string(&self) -> Option<&'f str> {
        self.as_string().or_else(|| self.wrong_type("a string"))
    }

    /// The boolean it is, if it is one.
    pub(super) fn as_boolean(&self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    /// As a boolean.
    pub(super) fn boolean(&self) -> Option<bool> {
        self.as_boolean().or_else(|| self.wrong_type("`true` or `false`"))
    }

    /// The whole number it is, if it is one and fits.
    pub(super) fn as_integer(&self) -> Option<i64> {
        match self.value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
    }

    /// As a whole number that fits into `T`.
    pub(super) fn number<T: TryFrom<i64>>(&self, expected: &str) -> Option<T> {
        match (self.as_integer(), self.value.get_ref()) {
            (Some(number), _) => {
                T::try_from(number).ok().or_else(|| self.wrong(&format!("is {expected}"), "this is not"))
            }
            (None, DeValue::Integer(_)) => self.wrong(&format!("is {expected}"), "this does not fit"),
            (None, _) => self.wrong_type(expected),
        }
    }

    /// As a duration.
    pub(super) fn duration(&self) -> Option<Duration> {
        let expected = "is a duration: numbers with a unit (ns, us, ms, s, m, h, d), as in \"1m 30s\"";
        match self.as_string() {
            Some(text) => units::duration(text).or_else(|| self.wrong(expected, "this is not")),
            None if self.as_integer().is_some() => self.wrong(expected, "this has no unit"),
            None => self.wrong_type("a duration, as in \"1m 30s\""),
        }
    }

    /// As one of the words of `T`.
    pub(super) fn choice<T: ValueEnum>(&self) -> Option<T> {
        let text = self.string()?;
        if let Ok(value) = T::from_str(text, false) {
            return Some(value);
        }
        let names: Vec<String> = T::value_variants()
            .iter()
            .filter_map(|variant| Some(variant.to_possible_value()?.get_name().to_owned()))
            .collect();
        self.not_one_of(text, names.iter().map(String::as_str))
    }

    /// Notes that it is none of these words.
    pub(super) fn not_one_of<'n, T>(&self, text: &str, names: impl IntoIterator<Item = &'n str> + Clone) -> Option<T> {
        let words: Vec<_> = names.clone().into_iter().collect();
        let message = format!("`{}` is one of {}", self.name, super::mistake::listed(&words));
        let mistake = Mistake::new(self.at(), message).label("this is not");
        let near = super::mistake::nearest(text, &words);
        self.file.note(match near {
            Some(name) => mistake.help(format!("did you mean `{name}`?")),
            None => mistake,
        })
    }

    /// As an array of strings, or a single one.
    pub(super) fn strings(&self) -> Option<Vec<String>> {
        if let Some(text) = self.as_string() {
            return Some(vec![text.to_owned()]);
        }
        Some(self.array()?.iter().filter_map(|element| element.string().map(str::to_owned)).collect())
    }

    /// Where a string stands with its quotes, and where its first character does if nothing in it is escaped.
    pub(super) fn place(&self) -> (Range<usize>, Option<usize>) {
        let whole = self.at();
        let quoted = self.file.text.get(whole.clone()).unwrap_or("");
        let inner = |quotes: usize| quoted.get(quotes..quoted.len().checked_sub(quotes)?);
        let quotes =
            [3, 1].into_iter().find(|quotes| inner(*quotes).is_some_and(|inner| self.as_string() == Some(inner)));
        let begins = quotes.map(|quotes| whole.start + quotes);
        (whole, begins)
    }
}
