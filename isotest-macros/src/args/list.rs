//! How is a list read, so that one mistake in it does not hide the next?

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Result, Token};

use crate::mistakes::Mistakes;

/// Reads `entry, entry, …`. What can't be read is noted and skipped up to the next comma.
pub(super) fn read<T>(
    tokens: TokenStream,
    mistakes: &mut Mistakes,
    entry: impl Fn(ParseStream<'_>) -> Result<T>,
) -> Vec<T> {
    let mut entries = Vec::new();
    let to_the_end = |input: ParseStream<'_>| {
        while !input.is_empty() {
            entries.extend(mistakes.sort(entry(input)));
            rest_of_entry(input)?;
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let end = to_the_end.parse2(tokens);
    mistakes.sort(end);
    entries
}

/// Everything up to the next comma or the end.
pub(super) fn rest_of_entry(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut rest = TokenStream::new();
    while !at_the_end_of_an_entry(input) {
        input.parse::<TokenTree>()?.to_tokens(&mut rest);
    }
    Ok(rest)
}

pub(super) fn at_the_end_of_an_entry(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Refuses two entries without a comma between them.
pub(super) fn expect_the_end_of_an_entry(input: ParseStream<'_>) -> Result<()> {
    if at_the_end_of_an_entry(input) { Ok(()) } else { Err(input.error("put a comma before this")) }
}
