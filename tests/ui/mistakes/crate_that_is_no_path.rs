#[isotest::isotest(crate = 5)]
fn listens() {}

fn main() {}
