//! Is what was given to one argument well-formed?
//!
//! The methods of [`Given`] are what an argument can accept. Each error stands on the smallest wrong token and says
//! what to write instead.

use std::time::Duration;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Ident, LitBool, LitInt, LitStr, Path, Result, Token, token};

use super::variables::{self, Variable};
use super::{Argument, argument_named, destinations, list, units};
use crate::mistakes::Mistakes;

/// One argument as it stands in the attribute.
pub(crate) struct Given {
    pub(super) argument: &'static Argument,
    name: Ident,
    written: Written,
}

/// What stands after an argument's name.
enum Written {
    /// `name`, `name =`
    Nothing,
    /// `name = value`
    Value(TokenStream),
    /// `name(…)`
    List(Group),
    /// Anything else.
    Other(TokenStream),
}

impl Written {
    fn unless_empty(tokens: TokenStream, written: fn(TokenStream) -> Written) -> Written {
        if tokens.is_empty() { Written::Nothing } else { written(tokens) }
    }
}

impl Given {
    /// Reads one argument, up to a comma where it can be read at all.
    pub(super) fn read(input: ParseStream<'_>) -> Result<Self> {
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), r#"expected an argument, as in `#[isotest(timeout = "5s")]`"#))?;
        let argument = argument_named(&name)?;
        let written = if input.parse::<Option<Token![=]>>()?.is_some() {
            Written::unless_empty(list::rest_of_entry(input)?, Written::Value)
        } else if input.peek(token::Paren) {
            let group = input.parse()?;
            list::expect_the_end_of_an_entry(input)?;
            Written::List(group)
        } else {
            Written::unless_empty(list::rest_of_entry(input)?, Written::Other)
        };
        Ok(Given { argument, name, written })
    }

    pub(super) fn is(&self, argument: &Argument) -> bool {
        self.argument.name == argument.name
    }

    pub(super) fn name(&self) -> &'static str {
        self.argument.name
    }

    /// Whether its value is this word, in quotes or a boolean.
    pub(super) fn says(&self, word: &str) -> bool {
        let quoted = self.value::<LitStr>().map(|text| text.value());
        quoted.or_else(|_| self.boolean().map(|value| value.to_string())).is_ok_and(|written| written == word)
    }

    pub(super) fn span(&self) -> Span {
        self.name.span()
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Result<bool> {
        Ok(self.value::<LitBool>()?.value)
    }

    /// One of a few words; the answer is the identifier beside it.
    pub(super) fn one_of(&self, choices: &[(&str, &str)]) -> Result<Ident> {
        let word = self.value::<LitStr>()?;
        match choices.iter().find(|(choice, _)| *choice == word.value()) {
            Some((_, meaning)) => Ok(format_ident!("{meaning}")),
            None => Err(self.no_value(word)),
        }
    }

    /// A whole number above zero.
    pub(super) fn count(&self) -> Result<u64> {
        let number = self.value::<LitInt>()?;
        match number.base10_parse() {
            Ok(0) => Err(Error::new(
                number.span(),
                format!("`{} = 0` leaves no room for the test itself", self.argument.name),
            )),
            Ok(count) => Ok(count),
            Err(_) => Err(Error::new(
                number.span(),
                format!("`{}` takes a whole number between 1 and {}", self.argument.name, u64::MAX),
            )),
        }
    }

    /// A time above zero, such as `"5s"` or `"1m 30s"`.
    pub(super) fn duration(&self) -> Result<Duration> {
        let text = self.value::<LitStr>()?;
        let mistake = |message: String| Err(Error::new(text.span(), message));
        match units::duration(&text.value()) {
            Some(Duration::ZERO) => mistake(format!(
                "a time of zero would end the test before it starts; leave `{}` out if there shall be no limit",
                self.argument.name
            )),
            Some(duration) => Ok(duration),
            None => mistake(format!(
                "{} is no duration: write whole numbers, each with a unit (`ms`, `s`, `m`, `h`), \
                 as in `5s` or `1m 30s`",
                text.token()
            )),
        }
    }

    /// A number of bytes above zero, such as `"64M"`.
    pub(super) fn size(&self) -> Result<u64> {
        let text = self.value::<LitStr>()?;
        let mistake = |message: String| Err(Error::new(text.span(), message));
        match units::size(&text.value()) {
            Some(0) => mistake("the kernel takes a size of zero for no limit at all: write the size needed".to_owned()),
            Some(bytes) => Ok(bytes),
            None => mistake(format!(
                "{} is no size: write a whole number of bytes, or one with `K`, `M` or `G` (1024, 1024², 1024³), \
                 as in `64M`",
                text.token()
            )),
        }
    }

    /// A name that `sethostname(2)` and name resolution take.
    pub(super) fn hostname(&self) -> Result<LitStr> {
        let text = self.value::<LitStr>()?;
        let hostname = text.value();
        let mistake = |message: String| Err(Error::new(text.span(), message));
        let allowed = |&c: &char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if hostname.is_empty() {
            return mistake("a host name has at least one character: write one, as in `db-1`".to_owned());
        }
        if let Some(wrong) = hostname.chars().find(|c| !allowed(c)) {
            return mistake(format!(
                "a host name is made of letters, digits, `-`, `_` and `.`: remove the `{}`",
                wrong.escape_debug()
            ));
        }
        if hostname.len() > 64 {
            return mistake(format!(
                "a host name has at most 64 bytes (`sethostname(2)`), and this one has {}: shorten it",
                hostname.len()
            ));
        }
        Ok(text)
    }

    /// Environment variables: `(NAME = "value", …)`.
    pub(super) fn variables(&self) -> Result<Vec<Variable>> {
        match &self.written {
            Written::List(list) => variables::read(list.stream()),
            _ => Err(self.in_another_form()),
        }
    }

    /// What a test may be allowed to go to: `["10.0.0.0/8:443", …]`. `None` where no list stands.
    pub(super) fn destinations(&self) -> Option<Result<Vec<LitStr>>> {
        let Written::Value(tokens) = &self.written else { return None };
        let list = match tokens.clone().into_iter().next()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => group,
            _ => return None,
        };
        let mut mistakes = Mistakes::default();
        let entries = list::read(list.stream(), &mut mistakes, |input| {
            let text: LitStr =
                input.parse().map_err(|error| Error::new(error.span(), "expected an entry in quotes"))?;
            destinations::check(&text.value()).map_err(|why| Error::new(text.span(), why))?;
            list::expect_the_end_of_an_entry(input)?;
            Ok(text)
        });
        if let Some(more) = tokens.clone().into_iter().nth(1) {
            mistakes.add(Error::new(more.span(), "put a comma before this"));
        }
        Some(mistakes.none_in(entries))
    }

    /// A path, bare or in quotes.
    pub(super) fn path(&self) -> Result<Path> {
        if let Ok(quoted) = self.value::<LitStr>() {
            return quoted.parse_with(Path::parse_mod_style).map_err(|_| self.no_value(quoted));
        }
        self.value_read_by(Path::parse_mod_style)
    }

    fn value<T: Parse>(&self) -> Result<T> {
        self.value_read_by(T::parse)
    }

    fn value_read_by<T>(&self, read: fn(ParseStream<'_>) -> Result<T>) -> Result<T> {
        let Written::Value(tokens) = &self.written else {
            return Err(self.in_another_form());
        };
        let value = |input: ParseStream<'_>| {
            let value = read(input).map_err(|_| self.no_value(tokens))?;
            list::expect_the_end_of_an_entry(input)?;
            Ok(value)
        };
        value.parse2(tokens.clone())
    }

    fn no_value(&self, tokens: impl ToTokens) -> Error {
        let Argument { name, form, .. } = self.argument;
        let written = tokens.to_token_stream();
        Error::new_spanned(tokens, format!("`{written}` is no value of `{name}`: write `{form}`"))
    }

    fn in_another_form(&self) -> Error {
        let Argument { name, form, .. } = self.argument;
        let message = format!("`{name}` is written `{form}`");
        match &self.written {
            Written::Nothing => Error::new(self.span(), format!("`{name}` needs a value: write `{form}`")),
            Written::Value(tokens) | Written::Other(tokens) => Error::new_spanned(tokens, message),
            Written::List(list) => Error::new_spanned(list, message),
        }
    }
}
