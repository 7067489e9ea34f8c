//! The edge: sockets, files, the clock and the kernel. The only place where `unsafe` may stand.
