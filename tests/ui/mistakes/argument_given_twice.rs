#[isotest::isotest(timeout = "5s", net = "host", timeout = "6s")]
fn listens() {}

fn main() {}
