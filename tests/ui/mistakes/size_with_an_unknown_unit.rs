#[isotest::isotest(tmp = "64 megabytes")]
fn listens() {}

fn main() {}
