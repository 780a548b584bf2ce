#[isotest::isotest(env(= "debug"))]
fn listens() {}

fn main() {}
