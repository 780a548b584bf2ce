//! What one machine builds others run, each its share, and what they found is put together.

mod elsewhere;
mod merged;
mod nextest;
mod refused;
mod run;
mod shares;
