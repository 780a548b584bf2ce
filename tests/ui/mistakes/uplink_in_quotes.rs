#[isotest::isotest(uplink = "yes")]
fn leaves() {}

fn main() {}
