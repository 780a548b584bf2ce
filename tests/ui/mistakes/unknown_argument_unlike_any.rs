#[isotest::isotest(color = "red")]
fn listens() {}

fn main() {}
