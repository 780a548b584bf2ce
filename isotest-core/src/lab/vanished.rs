//! How much has vanished where it arrived? Counted by the rules of barriers, which are made anew whenever a barrier changes.

use std::collections::BTreeMap;

use super::barriers;
use super::build::Spaces;
use super::error::{Error, Result};
use super::plan::Space;
use super::rules::Tables;
use crate::nft::{Count, Family, question, read};

/// What vanished before the rules that are there now, by the interface at which it did.
#[derive(Debug, Default)]
pub(crate) struct Vanished(BTreeMap<(Space, String), Count>);

impl Vanished {
    /// Keeps what the rules have counted that are about to be replaced.
    pub(crate) fn keep(&mut self, changed: &Tables, there: &Tables, spaces: &mut Spaces) -> Result<()> {
        for (space, tables) in changed {
            let replaced = there.get(space).into_iter().flatten().filter(|table| table.family == Family::Netdev);
            for old in replaced.filter(|old| tables.iter().any(|new| new.is_called_as(old))) {
                for chain in &old.chains {
                    let count = now(*space, &chain.name, spaces)?;
                    *self.0.entry((*space, chain.name.clone())).or_default() += count;
                }
            }
        }
        Ok(())
    }

    /// All that has vanished at an interface.
    pub(crate) fn at(&self, space: Space, interface: &str, spaces: &mut Spaces) -> Result<Count> {
        let mut all = now(space, interface, spaces)?;
        all += self.0.get(&(space, interface.to_owned())).copied().unwrap_or_default();
        Ok(all)
    }
}

/// What has been counted at an interface by the rules that are there.
fn now(space: Space, interface: &str, spaces: &mut Spaces) -> Result<Count> {
    let mut all = Count::default();
    // Where there is no socket for tables, there has never been one.
    if let Some(socket) = spaces.get_mut(&space).and_then(|built| built.tables.as_mut()) {
        let asked = socket.ask(&question(&barriers::at_interfaces(), interface), |_, item| all += read(item));
        asked.map_err(|refusal| Error::refused("counting what vanished at a link", &refusal))?;
    }
    Ok(all)
}
