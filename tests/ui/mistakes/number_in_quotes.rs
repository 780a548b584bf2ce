#[isotest::isotest(processes = "64")]
fn listens() {}

fn main() {}
