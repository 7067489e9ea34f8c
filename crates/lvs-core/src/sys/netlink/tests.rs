//! The socket against the running kernel, where no rights are needed.

use super::*;
use crate::nlattr;

const RTM_GETLINK: u16 = 18;
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
/// struct ifinfomsg.
const IFINFO: usize = 16;

#[test]
fn a_dump_names_the_loopback() {
    let mut found = false;
    let mut nl = Netlink::route().unwrap();
    let end = nl.dump(RTM_GETLINK, &[0; IFINFO], |m| {
        assert_eq!(m.kind, RTM_NEWLINK);
        found |= nlattr::attrs(&m.body[IFINFO..]).any(|a| a.text() == Some("lo"));
    });
    assert_eq!(end, Ok(DumpEnd::Complete));
    assert!(found);
}

#[test]
fn a_refusal_names_its_reason() {
    let mut nl = Netlink::route().unwrap();
    let mut body = vec![0; IFINFO];
    body[4..8].copy_from_slice(&i32::MAX.to_ne_bytes());
    let refused = nl.request(RTM_GETLINK, 0, &body).unwrap_err();
    assert_eq!(refused.errno, Errno::ENODEV);
}

#[test]
fn a_batch_says_which_message_failed() {
    let mut nl = Netlink::route().unwrap();
    let mut batch = Batch::default();
    for index in [1i32, i32::MAX, 1, i32::MAX] {
        batch.push(RTM_GETLINK, 0, |b| {
            b.extend_from_slice(&[0; IFINFO]);
            let at = b.len() - IFINFO + 4;
            b[at..at + 4].copy_from_slice(&index.to_ne_bytes());
        });
    }
    let mut failed = Vec::new();
    nl.send_batch(&mut batch, |i, e| failed.push((i, e.errno))).unwrap();
    assert_eq!(failed, [(1, Errno::ENODEV), (3, Errno::ENODEV)]);
    // The socket is in step again.
    assert!(nl.request(RTM_GETLINK, 0, &[&[0u8; 4][..], &1i32.to_ne_bytes(), &[0; 8]].concat()).is_ok());
}

#[test]
fn no_rights_is_an_error_and_no_answer_is_lost() {
    let mut nl = Netlink::route().unwrap();
    let mut body = vec![0; IFINFO];
    body[4..8].copy_from_slice(&i32::MAX.to_ne_bytes());
    let refused = nl.request(RTM_DELLINK, 0, &body).unwrap_err();
    assert!([Errno::EPERM, Errno::ENODEV].contains(&refused.errno));
}
