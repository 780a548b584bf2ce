#[isotest::isotest(env(LOG = "debug" PORT = "80"))]
fn listens() {}

fn main() {}
