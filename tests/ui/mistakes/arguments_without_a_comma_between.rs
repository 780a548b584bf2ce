#[isotest::isotest(timeout = "5s" net = "host")]
fn listens() {}

fn main() {}
