#[isotest::isotest(timeout = "5 fortnights")]
fn listens() {}

fn main() {}
