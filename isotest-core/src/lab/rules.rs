//! How do tables of nftables get into the lab's namespaces? By a socket in each, which stays open.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::SockProtocol;

use super::build::Spaces;
use super::error::{Error, Result};
use super::place::on_a_thread;
use super::plan::Space;
use crate::netlink::{Batch, Refusal, Socket};
use crate::nft::{self, Table};

/// The tables that are to be in each namespace.
pub(crate) type Tables = BTreeMap<Space, Vec<Table>>;

/// Those to send for `wanted` to be there where `there` is.
pub(crate) fn difference(there: &Tables, wanted: &Tables) -> Tables {
    let mut different = Tables::new();
    for (space, tables) in wanted {
        let known = there.get(space).map_or(&[][..], Vec::as_slice);
        different.insert(*space, tables.iter().filter(|table| !known.contains(table)).cloned().collect());
    }
    for (space, tables) in there {
        let changed = different.entry(*space).or_default();
        let wanted = wanted.get(space).map_or(&[][..], Vec::as_slice);
        let gone = tables.iter().filter(|table| !wanted.iter().any(|other| table.is_called_as(other)));
        changed.extend(gone.map(|table| Table { chains: Vec::new(), cones: Vec::new(), ..*table }));
    }
    different.retain(|_, tables| !tables.is_empty());
    different
}

/// Replaces them; a namespace's all at once.
pub(crate) fn replace(attempt: &str, spaces: &mut Spaces, tables: Tables) -> Result<()> {
    for (space, tables) in tables {
        let sent = socket(attempt, spaces, space)?.transact(&nft::replace(&tables));
        sent.map_err(|refusal| explain(attempt, &refusal))?;
    }
    Ok(())
}

/// Ends what is known of all connections that pass through a namespace.
pub(crate) fn forget_connections(attempt: &str, spaces: &mut Spaces, space: Space) -> Result<()> {
    /// `NFNL_SUBSYS_CTNETLINK` and `IPCTNL_MSG_CT_DELETE` of linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h: all, where none
    /// is named. The header is `struct nfgenmsg`.
    const DELETE: u16 = 1 << 8 | 2;
    let mut all = Batch::default();
    all.add(DELETE, 0, &[0; 4], |_| {});
    socket(attempt, spaces, space)?.request(&all).map_err(|refusal| {
        let error = Error::refused(attempt, &refusal);
        error.unless_kernel_has(refusal.errno, "nf_conntrack_netlink", "CONFIG_NF_CT_NETLINK")
    })
}

/// The socket for a namespace's tables, opened when it is needed for the first time. To close one takes tens of milliseconds: the
/// kernel waits until nobody uses the chains any more that were deleted.
fn socket<'a>(attempt: &str, spaces: &'a mut Spaces, space: Space) -> Result<&'a mut Socket> {
    let built = spaces.get_mut(&space).expect("every space with tables was made");
    if built.tables.is_none() {
        built.tables = Some(open(attempt, &built.namespace)?);
    }
    Ok(built.tables.as_mut().expect("it is there now"))
}

fn open(attempt: &str, namespace: &OwnedFd) -> Result<Socket> {
    on_a_thread("lab-filterer", || {
        let entered = setns(namespace, CloneFlags::CLONE_NEWNET);
        entered.map_err(|errno| Error::kernel(format!("{attempt}: entering a network"), errno))?;
        let opened = Socket::open(SockProtocol::NetlinkNetFilter);
        opened.map_err(|errno| explain(attempt, &Refusal { message: 0, errno, words: None }))
    })
}

fn explain(attempt: &str, refusal: &Refusal) -> Error {
    let error = Error::refused(attempt, refusal);
    match refusal.errno {
        Errno::ENOENT => Error::new(attempt, "this kernel's nf_tables lacks a kind of chain or expression (ENOENT)")
            .remedy(
                "load its modules (`modprobe -a nft_chain_nat nft_ct nft_masq nft_nat nft_reject_inet`), or use a kernel with \
                 CONFIG_NF_TABLES_INET, CONFIG_NF_TABLES_NETDEV and CONFIG_NFT_NAT",
            ),
        errno => error.unless_kernel_has(errno, "nf_tables", "CONFIG_NF_TABLES"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_nftables_is_told_from_one_that_lacks_a_part() {
        let told = |errno| explain("cutting a link", &Refusal { message: 0, errno, words: None }).to_string();
        let without = "cutting a link: this kernel has no nf_tables (EPROTONOSUPPORT: Protocol not supported); load the module \
                       (`modprobe nf_tables`), or use a kernel with CONFIG_NF_TABLES";
        assert_eq!(told(Errno::EPROTONOSUPPORT), without);
        assert!(told(Errno::EOPNOTSUPP).contains("no nf_tables"));
        assert!(told(Errno::ENOENT).contains("CONFIG_NF_TABLES_NETDEV"));
        assert!(told(Errno::EPERM).contains("CAP_NET_ADMIN"));
    }

    #[test]
    fn only_what_differs_is_sent_and_what_is_gone_is_deleted() {
        let table = |name| {
            let chain = nft::Chain {
                name: "all".to_owned(),
                hook: nft::Hook::Forward,
                rules: Vec::new(),
                otherwise: nft::Verdict::Accept,
            };
            Table { family: nft::Family::Inet, name, cones: Vec::new(), chains: vec![chain] }
        };
        let there = Tables::from([(Space::Node(0), vec![table("stays"), table("goes")])]);
        let wanted = Tables::from([(Space::Node(0), vec![table("stays")]), (Space::Node(1), vec![table("comes")])]);
        let gone = Table { chains: Vec::new(), ..table("goes") };
        let expected = Tables::from([(Space::Node(0), vec![gone]), (Space::Node(1), vec![table("comes")])]);
        assert_eq!(difference(&there, &wanted), expected);
        assert_eq!(difference(&wanted, &wanted), Tables::new());
    }
}
