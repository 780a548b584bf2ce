#[isotest::isotest(processes = 0)]
fn listens() {}

fn main() {}
