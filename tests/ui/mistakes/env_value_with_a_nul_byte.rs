#[isotest::isotest(env(LOG = "de\0bug"))]
fn listens() {}

fn main() {}
