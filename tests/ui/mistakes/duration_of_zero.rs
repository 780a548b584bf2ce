#[isotest::isotest(timeout = "0s")]
fn listens() {}

fn main() {}
