//! Which environment variables does `NAME = "value", …` set? A name that is no identifier stands in quotes.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Ident, LitStr, Result, Token};

use super::list;
use crate::mistakes::Mistakes;

pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: LitStr,
    name_span: Span,
}

/// Reads what stands between the parentheses of `env(…)`.
pub(super) fn read(tokens: TokenStream) -> Result<Vec<Variable>> {
    let mut mistakes = Mistakes::default();
    let variables = list::read(tokens, &mut mistakes, variable);
    for (position, variable) in variables.iter().enumerate() {
        if variables[..position].iter().any(|earlier| earlier.name == variable.name) {
            let message = format!("`{}` is set twice: keep one of the two", variable.name);
            mistakes.add(Error::new(variable.name_span, message));
        }
    }
    mistakes.none_in(variables)
}

fn variable(input: ParseStream<'_>) -> Result<Variable> {
    let (name, name_span) = name(input)?;
    let has_value = input.parse::<Option<Token![=]>>()?.is_some() && !list::at_the_end_of_an_entry(input);
    if !has_value {
        return Err(Error::new(name_span, format!("`{name}` needs a value: write `{name} = \"value\"`")));
    }
    let value = value(input, &name)?;
    list::expect_the_end_of_an_entry(input)?;
    Ok(Variable { name, value, name_span })
}

fn name(input: ParseStream<'_>) -> Result<(String, Span)> {
    if let Some(quoted) = input.parse::<Option<LitStr>>()? {
        let name = quoted.value();
        return match what_is_wrong_with(&name) {
            Some(mistake) => Err(Error::new(quoted.span(), format!("the name of an environment variable {mistake}"))),
            None => Ok((name, quoted.span())),
        };
    }
    let ident = input.call(Ident::parse_any).map_err(|error| {
        Error::new(error.span(), r#"expected an environment variable, as in `env(NAME = "value")`"#)
    })?;
    Ok((ident.unraw().to_string(), ident.span()))
}

fn what_is_wrong_with(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("has at least one character: write it here".to_owned());
    }
    if name.contains('\0') {
        return Some("can't contain a NUL byte: remove it".to_owned());
    }
    let (before, after) = name.split_once('=')?;
    Some(format!("can't contain `=`: write `{before} = \"{after}\"`"))
}

fn value(input: ParseStream<'_>, name: &str) -> Result<LitStr> {
    let Some(value) = input.parse::<Option<LitStr>>()? else {
        let wrong: TokenTree = input.parse()?;
        let message = format!("a value is text in quotes: write `{name} = \"{}\"`", as_text(&wrong));
        return Err(Error::new_spanned(wrong, message));
    };
    if value.value().contains('\0') {
        return Err(Error::new(
            value.span(),
            "the value of an environment variable can't contain a NUL byte: remove it",
        ));
    }
    Ok(value)
}

/// What a number or a word would be in quotes.
fn as_text(token: &TokenTree) -> String {
    let text = token.to_string();
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || "_.".contains(c));
    if is_plain { text } else { "value".to_owned() }
}
