//! `cargo isotest` from end to end: what is typed and configured against what runs, is shown, and comes of it.

mod again;
mod choosing;
mod late;
mod order;
mod outcomes;
mod suite;
mod table;
mod together;
