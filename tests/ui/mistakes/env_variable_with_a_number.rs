#[isotest::isotest(env(PORT = 80))]
fn listens() {}

fn main() {}
