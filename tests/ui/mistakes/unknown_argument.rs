#[isotest::isotest(nett = "host")]
fn listens() {}

fn main() {}
