//! How are senders hidden behind an address of the network's own, as long as somebody wants it?

use nix::errno::Errno;
use nix::sys::socket::SockProtocol;

use super::error::{Error, Result};
use crate::netlink::{Refusal, Socket};
use crate::nft::{self, Action, Chain, Family, Hook, Rule, Table, Verdict};

/// The rule that hides all packets, to be narrowed down.
pub(crate) fn every_packet() -> Rule {
    Rule::always(Action::Masquerade)
}

/// Adds a table with these rules to the calling thread's network. It vanishes with the socket that is returned.
pub(crate) fn add(table: &'static str, rules: Vec<Rule>) -> Result<Socket> {
    let attempt = || format!("adding the nftables table {table} that masquerades");
    let leaving = Chain { name: "leaving".to_owned(), hook: Hook::Source, rules, otherwise: Verdict::Accept };
    let table = Table { family: Family::Inet, name: table, cones: Vec::new(), chains: vec![leaving] };
    let opened = Socket::open(SockProtocol::NetlinkNetFilter);
    let sent = opened.map_err(|errno| Refusal { message: 0, errno, words: None }).and_then(|mut socket| {
        socket.transact(&nft::add_owned(&table))?;
        Ok(socket)
    });
    sent.map_err(|refusal| match refusal.errno {
        Errno::ENOENT => Error::new(attempt(), "this kernel's nf_tables can't masquerade (ENOENT)").remedy(
            "load its modules (`modprobe -a nft_chain_nat nft_masq`), or use a kernel with CONFIG_NF_TABLES_INET, \
                 CONFIG_NFT_NAT and CONFIG_NFT_MASQ",
        ),
        errno => Error::refused(attempt(), &refusal).unless_kernel_has(errno, "nf_tables", "CONFIG_NF_TABLES"),
    })
}
