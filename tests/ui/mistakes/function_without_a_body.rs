#[isotest::isotest]
fn listens();

fn main() {}
