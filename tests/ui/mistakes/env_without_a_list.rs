#[isotest::isotest(env = "LOG=debug")]
fn listens() {}

fn main() {}
