#[isotest::isotest(net = "none")]
fn listens() {}

fn main() {}
