#[isotest::isotest(env("L\0G" = "debug"))]
fn listens() {}

fn main() {}
