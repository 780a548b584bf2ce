//! How does a test say what is wrong with a link?

use super::error::Result;
use super::faults::Faults;
use super::host::Host;
use super::link::Link;
use super::topology::At;

impl Link {
    /// Makes packets pass through what can lose and delay them, although nothing is wrong yet: so that there can be faults later.
    ///
    /// # Errors
    ///
    /// When the lab is up already.
    pub fn wired(&self) -> Result<&Self> {
        self.lab().draw(format!("making {} ready for faults", self.name()), |topology| {
            topology.cables[self.cable()].wired = true;
            Ok(())
        })?;
        Ok(self)
    }

    /// Says what is wrong with it, both ways, in place of what was said before. While the lab is drawn this makes the link
    /// [`Link::wired`]; such a link's faults can be changed while packets are on their way, which stay as they are.
    ///
    /// Each way has chance of its own, which follows from the lab's seed: see [`Fates`](super::Fates).
    ///
    /// # Errors
    ///
    /// When a number makes no sense, such as a loss of 130 %, or the lab is up and the link was not wired. Where the kernel carries faults out
    /// ([`Engine::Kernel`](super::Engine)), any link can have them at any time, but when the kernel has no such fault.
    pub fn faults(&self, faults: Faults) -> Result<&Self> {
        self.break_down(&[0, 1], &faults)
    }

    /// Says what is wrong with the way from one of its hosts.
    ///
    /// # Errors
    ///
    /// As [`Link::faults`], and when the host is not at this link.
    pub fn faults_from(&self, host: &Host, faults: Faults) -> Result<&Self> {
        let At { end, .. } = self.end_at(host)?;
        self.break_down(&[end], &faults)
    }

    /// Says what is wrong with the way to one of its hosts.
    ///
    /// # Errors
    ///
    /// As [`Link::faults_from`].
    pub fn faults_to(&self, host: &Host, faults: Faults) -> Result<&Self> {
        let At { end, .. } = self.end_at(host)?;
        self.break_down(&[1 - end], &faults)
    }

    fn break_down(&self, ends: &[usize], faults: &Faults) -> Result<&Self> {
        let cable = self.cable();
        faults.check(&self.lab().read(|topology| topology.link_name(cable)))?;
        let from: Vec<_> = ends.iter().map(|end| At { cable, end: *end }).collect();
        self.lab().break_down(&from, faults)?;
        Ok(self)
    }
}
