#[isotest::isotest(timeout = "5")]
fn listens() {}

fn main() {}
