#[isotest::isotest(tmp = "0")]
fn listens() {}

fn main() {}
