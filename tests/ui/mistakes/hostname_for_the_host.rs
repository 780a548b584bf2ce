#[isotest::isotest(hostname = "db-1", uts = "host")]
fn has_a_mistake() {}

fn main() {}
