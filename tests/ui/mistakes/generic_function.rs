#[isotest::isotest]
fn listens<A: Default>() {}

fn main() {}
