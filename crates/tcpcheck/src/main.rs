//! The command `tcpcheck`; everything is in the library.

fn main() {}
