//! What the configuration promises: all mistakes told in their places, the right word wins, and any text is survived.

mod documented;
mod elsewhere;
mod expressions;
mod mistakes;
mod precedence;
mod shown;
mod survival;

use super::{Config, Platforms};

/// A configuration without mistakes.
fn config(text: &str) -> Config {
    Config::parse("isotest.toml", text.to_owned()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A machine that builds for itself.
fn here() -> Platforms {
    Platforms::new("x86_64-unknown-linux-gnu", None).unwrap_or_else(|error| panic!("{error}"))
}
