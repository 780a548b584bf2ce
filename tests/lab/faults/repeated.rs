//! Does the same seed do the same to the same packets?

use isotest::isotest;
use isotest::lab::{Faults, GilbertElliott, Result};

use super::datagrams::Pair;

fn bad() -> Faults {
    Faults::new().loss(0.1).loss_bursts(GilbertElliott::bursts(0.05, 4.0)).duplicate(0.05).reorder(0.05, 2)
}

#[isotest]
fn the_same_seed_loses_doubles_and_reorders_the_same_packets() -> Result<()> {
    let first = Pair::with(42, bad())?.send(1000);
    let second = Pair::with(42, bad())?.send(1000);
    assert_eq!(first, second);
    Ok(())
}

#[isotest]
fn another_seed_loses_others() -> Result<()> {
    let one = Pair::with(42, Faults::new().loss(0.1))?.send(1000);
    let other = Pair::with(43, Faults::new().loss(0.1))?.send(1000);
    assert_ne!(one, other);
    Ok(())
}

#[isotest]
fn what_is_lost_does_not_depend_on_the_other_faults() -> Result<()> {
    let alone = Pair::with(42, Faults::new().loss(0.1))?;
    let among_others = Pair::with(42, Faults::new().loss(0.1).duplicate(0.3).corrupt(0.1))?;
    alone.send(1000);
    among_others.send(1000);
    let lost = |pair: &Pair| pair.link.fates_from(&pair.alice).map(|fates| fates.which_lost);
    assert_eq!(lost(&alone)?, lost(&among_others)?);
    Ok(())
}
