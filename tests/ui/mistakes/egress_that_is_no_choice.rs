#[isotest::isotest(egress = true)]
fn has_a_mistake() {}

fn main() {}
