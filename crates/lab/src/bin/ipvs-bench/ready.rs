//! Ready-made netlink batches: the least that a load of rules can cost. The bytes are made beforehand, a program without
//! options, names or messages of its own sends them, one batch in memory at a time.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use lvs_core::ipvs::{encode, uapi};
use lvs_core::nlattr;
use lvs_core::rule::{self, NoNames};
use lvs_core::sys::netlink::Netlink;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, connect, recv, send, socket,
};
use std::os::fd::AsRawFd;

/// Messages in one write.
const BATCH: usize = 256;
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const ERROR: u16 = 2;

/// Rule lines as batches: each with its length before it, the last message of each acknowledged.
pub(crate) fn make(rules: &str) -> Result<Vec<u8>> {
    let family = family()?;
    let lines: Vec<&str> = rules.lines().collect();
    let mut all = Vec::new();
    for chunk in lines.chunks(BATCH) {
        let mut batch = Vec::new();
        for (i, line) in chunk.iter().enumerate() {
            let Ok(rule::Command::Op(op)) = rule::parse(line.split(' '), &NoNames) else {
                anyhow::bail!("{line}: not a rule");
            };
            let flags = if i + 1 == chunk.len() { REQUEST | ACK } else { REQUEST };
            let mut body = vec![encode::command(&op), uapi::VERSION, 0, 0];
            encode::op(&mut body, &op);
            message(&mut batch, family, flags, &body)?;
        }
        all.extend(u32::try_from(batch.len())?.to_ne_bytes());
        all.extend(batch);
    }
    Ok(all)
}

fn message(out: &mut Vec<u8>, kind: u16, flags: u16, body: &[u8]) -> Result<()> {
    out.extend(u32::try_from(16 + body.len())?.to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(flags.to_ne_bytes());
    out.extend([0; 8]);
    out.extend(body);
    out.resize(out.len().next_multiple_of(4), 0);
    Ok(())
}

/// The number of the family IPVS in this kernel.
fn family() -> Result<u16> {
    let mut body = vec![3, 1, 0, 0];
    nlattr::put_str(&mut body, 2, uapi::FAMILY);
    let answer = Netlink::generic()?.request(16, 0, &body)?.context("no answer")?;
    let id = nlattr::attrs(answer.get(4..).unwrap_or_default()).find(|a| a.kind == 1);
    id.and_then(|a| a.u16()).context("no IPVS in this kernel")
}

/// Sends the batches of a file, and waits for the acknowledgement of each.
pub(crate) fn send_file(file: &Path) -> Result<()> {
    let mut file = File::open(file).with_context(|| file.display().to_string())?;
    let kind = (AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkGeneric);
    let socket = socket(kind.0, kind.1, kind.2, kind.3)?;
    connect(socket.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
    let (mut len, mut batch, mut answer) = ([0; 4], Vec::new(), [0; 512]);
    while file.read_exact(&mut len).is_ok() {
        batch.resize(usize::try_from(u32::from_ne_bytes(len))?, 0);
        file.read_exact(&mut batch)?;
        send(socket.as_raw_fd(), &batch, MsgFlags::empty())?;
        let got = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        // One answer only: the acknowledgement. A refusal would come before it.
        let status = answer[..got].get(16..20).map(<[u8]>::to_vec);
        ensure!(
            answer[4..6] == ERROR.to_ne_bytes() && status == Some(vec![0; 4]),
            "the kernel refused a message"
        );
    }
    Ok(())
}
