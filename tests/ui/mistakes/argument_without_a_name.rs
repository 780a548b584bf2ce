#[isotest::isotest("5s")]
fn listens() {}

fn main() {}
