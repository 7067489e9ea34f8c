//! The filter's bytes; what the kernel makes of them is seen in the lab, where a network namespace is at hand.

use super::uapi::expr;
use super::*;
use crate::nlattr::attrs;

#[test]
fn an_address_goes_into_the_set_of_its_family() {
    let mut b = Vec::new();
    expression::drop_listed(&mut b, &facts(Family::Inet6));
    let names: Vec<_> = attrs(&b)
        .filter_map(|e| e.nested().find(|a| a.kind == expr::NAME).and_then(|a| a.text().map(str::to_owned)))
        .collect();
    assert_eq!(names, ["meta", "cmp", "payload", "lookup", "immediate"]);
    assert_eq!(facts(Family::of("10.0.0.1".parse().unwrap())).set, "vips4");
    assert_eq!(facts(Family::of("2001:db8::1".parse().unwrap())).set, "vips6");
}

#[test]
fn nothing_to_change_asks_the_kernel_nothing() {
    // Without a right to: the kernel's answer would be a refusal.
    let mut filter = Filter::open("lvs-test-nothing").unwrap();
    assert_eq!(filter.change(&[], &[]), Ok(()));
}

#[test]
fn whether_there_is_any_table_is_known_or_needs_the_right_to_ask() {
    match any_table() {
        Ok(_) => {}
        Err(e) => assert!(e.errno == Errno::EPERM && !nix::unistd::geteuid().is_root(), "{e}"),
    }
}
