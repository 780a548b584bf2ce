#[isotest::isotest(timeout =)]
fn listens() {}

fn main() {}
