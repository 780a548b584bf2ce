#[isotest::isotest(mount = "host")]
fn has_a_mistake() {}

fn main() {}
