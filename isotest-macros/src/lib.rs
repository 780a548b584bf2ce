//! The `#[isotest]` attribute. Depend on `isotest-core`, which re-exports it.
//!
//! `args` reads what stands in the parentheses, `check` decides whether the item can be a test, `expand` writes what
//! it becomes. To add an argument, add a row to the table in `args`, a section to the documentation below and a file
//! per mistake to `tests/ui`.

mod args;
mod check;
mod expand;
mod mistakes;

use proc_macro::TokenStream;

use crate::args::Arguments;
use crate::check::Test;
use crate::mistakes::Mistakes;

/// Gives a test a machine of its own; see the documentation of `isotest-core`.
#[proc_macro_attribute]
pub fn isotest(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attribute(arguments.into(), item.into()).into()
}

fn attribute(arguments: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut mistakes = Mistakes::default();
    let arguments = mistakes.sort(Arguments::read(arguments));
    let test = mistakes.sort(Test::from_item(item.clone()));
    match (arguments, test) {
        (Some(arguments), Some(test)) => expand::test(&arguments, test),
        _ => {
            let mut tokens = mistakes.to_compile_errors();
            tokens.extend(expand::given_back(item));
            tokens
        }
    }
}
