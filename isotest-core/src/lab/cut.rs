//! How is a link cut, and mended?

use super::error::Result;
use super::host::Host;
use super::link::Link;
use super::plan;
use super::topology::At;

impl Link {
    /// Cuts it: whatever is sent over it, ARP and neighbour discovery included, vanishes without a word, both ways. Neither end
    /// sees the line go down, and connections stay open until their owners give up: after [`Link::restore`] they go on, as soon as
    /// TCP tries again. What is sent meanwhile is lost; [`Link::stats`] counts it as dropped where it would have arrived. As on a cable that was cut somewhere far away, a neighbour that answers no ARP for some seconds becomes
    /// unreachable (`EHOSTUNREACH`) for new connections.
    ///
    /// Before the lab is up, it will be built that way.
    ///
    /// # Errors
    ///
    /// When the lab could not be built or is gone, or the kernel has no nftables.
    pub fn cut(&self) -> Result<()> {
        let ends = [0, 1].map(|end| At { cable: self.cable(), end });
        self.lab().bar(&format!("cutting the link made by {}", self.described()), |barriers| barriers.cut.extend(ends))
    }

    /// Cuts one direction: what the host sends over this link vanishes, and what is sent to it arrives. So its peer's
    /// connections become half-open: it hears nothing more, not even that its own words have arrived. Answers to ARP vanish as well: only who knows the host's
    /// hardware address already, because they have talked, can send to it.
    ///
    /// # Errors
    ///
    /// When the host is not at this link; otherwise as [`Link::cut`].
    pub fn cut_from(&self, host: &Host) -> Result<()> {
        let at = self.end_at(host)?;
        let other = At { end: 1 - at.end, ..at };
        let attempt = format!("cutting what `{}` sends over the link made by {}", host.name(), self.described());
        self.lab().bar(&attempt, |barriers| barriers.cut.extend([other]))
    }

    /// Mends it, in both directions; one that is whole stays so.
    ///
    /// # Errors
    ///
    /// As [`Link::cut`].
    pub fn restore(&self) -> Result<()> {
        let attempt = format!("restoring the link made by {}", self.described());
        self.lab().bar(&attempt, |barriers| barriers.cut.retain(|at| at.cable != self.cable()))
    }

    fn described(&self) -> String {
        self.lab().read(|topology| plan::described(topology, self.cable()))
    }
}
