//! Collects everything that is wrong, so that one build shows all of it.

use proc_macro2::TokenStream;
use syn::{Error, Result};

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn add(&mut self, mistake: Error) {
        match &mut self.0 {
            Some(mistakes) => mistakes.combine(mistake),
            None => self.0 = Some(mistake),
        }
    }

    /// Keeps what is right and notes what is wrong.
    pub(crate) fn sort<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|mistake| self.add(mistake)).ok()
    }

    /// All mistakes as one error, or `value` if there were none.
    pub(crate) fn none_in<T>(self, value: T) -> Result<T> {
        match self.0 {
            Some(mistakes) => Err(mistakes),
            None => Ok(value),
        }
    }

    pub(crate) fn to_compile_errors(&self) -> TokenStream {
        self.0.as_ref().map(Error::to_compile_error).unwrap_or_default()
    }
}
