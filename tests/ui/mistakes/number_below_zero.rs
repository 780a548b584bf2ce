#[isotest::isotest(processes = -1)]
fn listens() {}

fn main() {}
