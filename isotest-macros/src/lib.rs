//! The `#[isotest]` attribute.
use proc_macro::TokenStream;

/// Gives a test a machine of its own.
#[proc_macro_attribute]
pub fn isotest(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    item
}
