#[isotest::isotest(env(LOG))]
fn listens() {}

fn main() {}
