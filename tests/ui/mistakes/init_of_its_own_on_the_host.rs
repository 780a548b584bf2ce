#[isotest::isotest(init = false, pid = "host")]
fn has_a_mistake() {}

fn main() {}
