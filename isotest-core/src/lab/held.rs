//! How does somebody get into the hosts of a lab while its test is held? `ISOTEST_HOLD`

use std::sync::{Arc, Mutex, PoisonError};

use super::error::Result;
use super::failure;
use super::place::Place;
use super::shared::Shared;
use super::topology::{Role, Topology};
use crate::hold;

static KEPT: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

/// Says it now, for a test that will hang, and again when it has failed.
pub(super) fn tell(topology: &Topology, places: &[Arc<Place>]) -> Result<()> {
    if !hold::is_asked() {
        return Ok(());
    }
    let mut text = "the hosts of the lab are entered by\n".to_owned();
    for (node, place) in topology.nodes.iter().zip(places) {
        if node.role != Role::Here
            && let Some(command) = place.way_in()?
        {
            text.push_str(&format!("  {}: {command}\n", node.name));
        }
    }
    eprint!("isotest: {text}");
    failure::note_while_it_lives(text.trim_end().to_owned());
    Ok(())
}

/// What becomes of a lab whose handle is gone: it is kept, if its test may have failed and is to be held then.
pub(super) fn keep_or_take_down(lab: &Arc<Shared>) {
    if hold::is_asked() {
        kept().push(Arc::clone(lab));
    } else {
        lab.take_down();
    }
}

/// Takes down what was kept: the test has passed.
pub(crate) fn let_go() {
    std::mem::take(&mut *kept()).iter().for_each(|lab| lab.take_down());
}

fn kept() -> std::sync::MutexGuard<'static, Vec<Arc<Shared>>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}
