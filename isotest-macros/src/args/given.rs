//! Is what was given to one argument well-formed?
//!
//! The methods of [`Given`] are what an argument can accept. Each error stands on the smallest wrong token and says
//! what to write instead.

use std::time::Duration;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, LitBool, LitInt, LitStr, Path, Result, Token};

use super::{Argument, argument_named, units};
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

impl Given {
    /// Reads one argument, up to a comma where it can be read at all.
    pub(super) fn read(input: ParseStream<'_>) -> Result<Self> {
        let name = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), r#"expected an argument, as in `#[isotest(timeout = "5s")]`"#))?;
        let argument = argument_named(&name)?;
        let assigned = input.parse::<Option<Token![=]>>()?.is_some();
        let tokens = rest_of_entry(input)?;
        let written = match (assigned, sole_list(&tokens)) {
            _ if tokens.is_empty() => Written::Nothing,
            (true, _) => Written::Value(tokens),
            (false, Some(list)) => Written::List(list),
            (false, None) => Written::Other(tokens),
        };
        Ok(Given { argument, name, written })
    }

    pub(super) fn is(&self, argument: &Argument) -> bool {
        self.argument.name == argument.name
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
            None => Err(Error::new(word.span(), format!("write `{}`", self.argument.form))),
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
            Err(_) => Err(Error::new(number.span(), format!("write a whole number up to {}", u64::MAX))),
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
                "{} is not a duration that can be told: write whole numbers, each with a unit (`ms`, `s`, `m`, `h`), \
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
                "{} is not a size: write a whole number of bytes, or one with `K`, `M` or `G` (1024, 1024², 1024³), \
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
            return mistake("a host name has at least one character".to_owned());
        }
        if let Some(wrong) = hostname.chars().find(|c| !allowed(c)) {
            return mistake(format!(
                "a host name is made of letters, digits, `-`, `_` and `.`: remove the `{}`",
                wrong.escape_debug()
            ));
        }
        if hostname.len() > 64 {
            return mistake(format!(
                "a host name has at most 64 bytes (`sethostname(2)`), and this one has {}",
                hostname.len()
            ));
        }
        Ok(text)
    }

    /// Environment variables: `NAME = "value", …`, where a name that is no identifier stands in quotes.
    pub(super) fn variables(&self) -> Result<Vec<(String, LitStr)>> {
        let Written::List(list) = &self.written else {
            return Err(self.malformed());
        };
        let mut mistakes = Mistakes::default();
        let mut variables: Vec<(String, LitStr)> = Vec::new();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                match read_variable(input) {
                    Ok((name, _)) if variables.iter().any(|(earlier, _)| *earlier == name.text) => {
                        let message = format!("`{}` is set twice: keep one of the two", name.text);
                        mistakes.add(Error::new(name.span, message));
                    }
                    Ok((name, value)) => variables.push((name.text, value)),
                    Err(mistake) => mistakes.add(mistake),
                }
                rest_of_entry(input)?;
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        let read_to_the_end = read.parse2(list.stream());
        mistakes.sort(read_to_the_end);
        mistakes.none_in(variables)
    }

    /// A path, bare or in quotes.
    pub(super) fn path(&self) -> Result<Path> {
        let Written::Value(tokens) = &self.written else {
            return Err(self.malformed());
        };
        let path = match syn::parse2::<LitStr>(tokens.clone()) {
            Ok(quoted) => quoted.parse_with(Path::parse_mod_style),
            Err(_) => Path::parse_mod_style.parse2(tokens.clone()),
        };
        path.map_err(|_| self.malformed())
    }

    fn value<T: syn::parse::Parse>(&self) -> Result<T> {
        match &self.written {
            Written::Value(tokens) => syn::parse2(tokens.clone()).map_err(|_| self.malformed()),
            _ => Err(self.malformed()),
        }
    }

    fn malformed(&self) -> Error {
        let Argument { name, form, .. } = self.argument;
        match &self.written {
            Written::Nothing => Error::new(self.span(), format!("`{name}` needs a value: write `{form}`")),
            Written::Value(tokens) | Written::Other(tokens) => Error::new_spanned(tokens, format!("write `{form}`")),
            Written::List(list) => Error::new_spanned(list, format!("write `{form}`")),
        }
    }
}

struct VariableName {
    text: String,
    span: Span,
}

fn read_variable(input: ParseStream<'_>) -> Result<(VariableName, LitStr)> {
    let name = if input.peek(LitStr) {
        let quoted: LitStr = input.parse()?;
        VariableName { text: quoted.value(), span: quoted.span() }
    } else {
        let ident = input.call(Ident::parse_any).map_err(|error| {
            Error::new(error.span(), r#"expected an environment variable, as in `env(NAME = "value")`"#)
        })?;
        VariableName { text: ident.unraw().to_string(), span: ident.span() }
    };
    if name.text.is_empty() {
        return Err(Error::new(name.span, "an environment variable's name has at least one character"));
    }
    if let Some(wrong) = name.text.chars().find(|c| matches!(c, '=' | '\0')) {
        let message = format!("an environment variable's name can't contain `{}`", wrong.escape_debug());
        return Err(Error::new(name.span, message));
    }
    let expected = format!("write `{} = \"value\"`", name.text);
    if input.parse::<Option<Token![=]>>()?.is_none() || input.peek(Token![,]) || input.is_empty() {
        return Err(Error::new(name.span, format!("`{}` needs a value: {expected}", name.text)));
    }
    let tokens = rest_of_entry(input)?;
    let value: LitStr = syn::parse2(tokens.clone()).map_err(|_| Error::new_spanned(&tokens, expected))?;
    if value.value().contains('\0') {
        return Err(Error::new(value.span(), "an environment variable's value can't contain a NUL byte"));
    }
    Ok((name, value))
}

/// Everything up to the next comma or the end.
pub(super) fn rest_of_entry(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut rest = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?.to_tokens(&mut rest);
    }
    Ok(rest)
}

fn sole_list(tokens: &TokenStream) -> Option<Group> {
    let group: Group = syn::parse2(tokens.clone()).ok()?;
    (group.delimiter() == proc_macro2::Delimiter::Parenthesis).then_some(group)
}
