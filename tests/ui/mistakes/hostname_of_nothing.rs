#[isotest::isotest(hostname = "")]
fn listens() {}

fn main() {}
