#[isotest::isotest(env(LOG = "debug", LOG = "info"))]
fn listens() {}

fn main() {}
