#[isotest::isotest(init = "false")]
fn listens() {}

fn main() {}
