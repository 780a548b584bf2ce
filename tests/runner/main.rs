//! `cargo isotest` from end to end: what is typed and configured against what runs, is shown, and comes of it.

mod again;
mod asked;
mod by_another_program;
mod choosing;
mod command_line;
mod configured;
mod elsewhere;
mod harnesses;
mod kept;
mod late;
mod mistakes;
mod order;
mod outcomes;
mod progress;
mod scripts;
mod signals;
mod started;
mod suite;
mod table;
mod terminal;
mod together;
mod told;
mod variables;
mod watched;
