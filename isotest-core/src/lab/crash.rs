//! How does a host crash, and come back?

use super::destroy;
use super::error::{Error, Result};
use super::host::Host;
use super::kill;
use super::topology::Role;

impl Host {
    /// Crashes it, as if it had lost its power: its peers hear nothing more, no farewell and no reset. Its processes are killed, and
    /// all its TCP connections and listening sockets end. The test's own threads in it can't be killed: their sockets fail
    /// (`ECONNABORTED`; an `accept` that waits, `EINVAL`), and UDP sockets that the test itself has bound keep their ports until it drops them. A router forgets all
    /// connections that it has translated.
    ///
    /// Until [`Host::restart`] nobody can enter it. One that has crashed stays as it is.
    ///
    /// What to use for which failure:
    ///
    /// | the peer is to see | use |
    /// | ------------------ | --- |
    /// | silence, then the same connection going on | [`Link::cut`](super::Link::cut), [`Lab::partition`](super::Lab::partition) |
    /// | silence, then a reset, and nobody at the port | `crash`, [`Host::restart`] |
    /// | a connection that takes everything and answers nothing | [`Host::freeze`] |
    /// | nothing, though it is heard itself (half-open) | [`Link::cut_from`](super::Link::cut_from) |
    /// | an end at once: connection closed or reset | end the process, by its `Child` |
    ///
    /// # Errors
    ///
    /// For the test body's own network, when the lab can't be built, or when the kernel has no nftables or can't end sockets
    /// (`sock_diag(7)`, CONFIG_INET_DIAG_DESTROY).
    pub fn crash(&self) -> Result<()> {
        let attempt = format!("crashing `{}`", self.name());
        if self.lab().read(|topology| topology.nodes[self.node()].role == Role::Here) {
            let cause = "the test itself runs there";
            return Err(Error::new(attempt, cause).remedy("crash a host of its own, by `lab.host`"));
        }
        let network = self.lab().up(&attempt)?;
        let place = &network.places[self.node()];
        // First, so that nothing leaves that tells of what follows.
        self.lab().bar(&attempt, |barriers| {
            barriers.crashed.insert(self.node());
        })?;
        kill::all_in(std::slice::from_ref(place));
        destroy::all_in(place, self.name())?;
        self.lab().forget_connections(self.node(), &attempt)
    }

    /// Brings it back, with the same addresses and nothing running: connections from before the crash are answered by resets. Links
    /// that were cut stay so. One that has not crashed stays as it is.
    ///
    /// # Errors
    ///
    /// When the lab could not be built or is gone, or the kernel refuses.
    pub fn restart(&self) -> Result<()> {
        self.lab().bar(&format!("restarting `{}`", self.name()), |barriers| {
            barriers.crashed.remove(&self.node());
        })
    }
}
