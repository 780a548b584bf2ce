#[isotest::isotest(timeout("5s"))]
fn listens() {}

fn main() {}
