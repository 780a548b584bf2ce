use isotest::isotest;
use rstest::rstest;

#[isotest]
#[rstest]
#[case(80)]
fn listens(#[case] port: u16) {}

fn main() {}
