//! The numbers of the generic netlink family "IPVS", version 1 (`linux/ip_vs.h`). They stand here and nowhere else.

/// The family's name.
pub const FAMILY: &str = "IPVS";
/// The family's version.
pub const VERSION: u8 = 1;

/// Commands. All need CAP_NET_ADMIN in the user namespace of the network namespace, the reads too.
pub mod cmd {
    /// Add a service; also the kind of each message of a GET_SERVICE reply.
    pub const NEW_SERVICE: u8 = 1;
    /// Replace a service.
    pub const SET_SERVICE: u8 = 2;
    /// Delete a service.
    pub const DEL_SERVICE: u8 = 3;
    /// Read one service or dump all.
    pub const GET_SERVICE: u8 = 4;
    /// Add a server; also the kind of each message of a GET_DEST reply.
    pub const NEW_DEST: u8 = 5;
    /// Replace a server.
    pub const SET_DEST: u8 = 6;
    /// Delete a server.
    pub const DEL_DEST: u8 = 7;
    /// Dump the servers of a service.
    pub const GET_DEST: u8 = 8;
    /// Start a sync daemon.
    pub const NEW_DAEMON: u8 = 9;
    /// Stop a sync daemon.
    pub const DEL_DAEMON: u8 = 10;
    /// Dump the sync daemons.
    pub const GET_DAEMON: u8 = 11;
    /// Set the timeouts.
    pub const SET_CONFIG: u8 = 12;
    /// Read the timeouts.
    pub const GET_CONFIG: u8 = 13;
    /// Read version and connection table size.
    pub const GET_INFO: u8 = 15;
    /// Zero counters.
    pub const ZERO: u8 = 16;
    /// Delete every service.
    pub const FLUSH: u8 = 17;
}

/// Attributes of a message.
pub mod top {
    /// Nested: a service.
    pub const SERVICE: u16 = 1;
    /// Nested: a server.
    pub const DEST: u16 = 2;
    /// Nested: a sync daemon.
    pub const DAEMON: u16 = 3;
    /// Seconds, u32.
    pub const TIMEOUT_TCP: u16 = 4;
    /// Seconds, u32.
    pub const TIMEOUT_TCP_FIN: u16 = 5;
    /// Seconds, u32.
    pub const TIMEOUT_UDP: u16 = 6;
}

/// Attributes of the reply to GET_INFO.
pub mod info {
    /// 0x010201 for 1.2.1.
    pub const VERSION: u16 = 1;
    /// Buckets of the connection table.
    pub const CONN_TAB_SIZE: u16 = 2;
}

/// Attributes of a service.
pub mod svc {
    /// Address family, u16.
    pub const AF: u16 = 1;
    /// IP protocol, u16.
    pub const PROTOCOL: u16 = 2;
    /// Address, 16 bytes.
    pub const ADDR: u16 = 3;
    /// Port in network order.
    pub const PORT: u16 = 4;
    /// Firewall mark, u32.
    pub const FWMARK: u16 = 5;
    /// Scheduler name.
    pub const SCHED_NAME: u16 = 6;
    /// Flags and the mask of the flags that count, two u32.
    pub const FLAGS: u16 = 7;
    /// Persistence in seconds, u32.
    pub const TIMEOUT: u16 = 8;
    /// IPv4 mask in network order, or IPv6 prefix length.
    pub const NETMASK: u16 = 9;
    /// Nested: 32-bit counters.
    pub const STATS: u16 = 10;
    /// Persistence engine.
    pub const PE_NAME: u16 = 11;
    /// Nested: 64-bit counters.
    pub const STATS64: u16 = 12;
    /// Flag: persistent.
    pub const F_PERSISTENT: u32 = 1;
    /// Flag: in the kernel's hash table; the kernel's own.
    pub const F_HASHED: u32 = 2;
}

/// Attributes of a server.
pub mod dest {
    /// Address, 16 bytes.
    pub const ADDR: u16 = 1;
    /// Port in network order.
    pub const PORT: u16 = 2;
    /// Forwarding method, u32.
    pub const FWD_METHOD: u16 = 3;
    /// Weight, u32.
    pub const WEIGHT: u16 = 4;
    /// Upper threshold, u32.
    pub const U_THRESH: u16 = 5;
    /// Lower threshold, u32.
    pub const L_THRESH: u16 = 6;
    /// Active connections, u32.
    pub const ACTIVE_CONNS: u16 = 7;
    /// Inactive connections, u32.
    pub const INACT_CONNS: u16 = 8;
    /// Persistent connections, u32.
    pub const PERSIST_CONNS: u16 = 9;
    /// Nested: 32-bit counters.
    pub const STATS: u16 = 10;
    /// Address family of the server, u16 (Linux 3.18).
    pub const ADDR_FAMILY: u16 = 11;
    /// Nested: 64-bit counters (Linux 4.1).
    pub const STATS64: u16 = 12;
    /// Tunnel type, u8 (Linux 5.2).
    pub const TUN_TYPE: u16 = 13;
    /// Tunnel port in network order.
    pub const TUN_PORT: u16 = 14;
    /// Tunnel flags, u16 (Linux 5.3).
    pub const TUN_FLAGS: u16 = 15;
    /// The bits of FWD_METHOD that are the method.
    pub const FWD_MASK: u32 = 7;
}

/// Attributes of a sync daemon.
pub mod daemon {
    /// 1 master, 2 backup; u32.
    pub const STATE: u16 = 1;
    /// Interface name.
    pub const MCAST_IFN: u16 = 2;
    /// Sync id, u32.
    pub const SYNC_ID: u16 = 3;
    /// Largest datagram, u16.
    pub const SYNC_MAXLEN: u16 = 4;
    /// IPv4 group, network order.
    pub const MCAST_GROUP: u16 = 5;
    /// IPv6 group.
    pub const MCAST_GROUP6: u16 = 6;
    /// UDP port in HOST order, unlike every other port here.
    pub const MCAST_PORT: u16 = 7;
    /// TTL, u8.
    pub const MCAST_TTL: u16 = 8;
}

/// Attributes of counters: u32 in STATS, but bytes u64; all u64 in STATS64.
pub mod stats {
    /// Connections.
    pub const CONNS: u16 = 1;
    /// Rate of outgoing bytes: the last one; 1 to 10 follow the fields of [`super::super::Stats`].
    pub const OUTBPS: u16 = 10;
}
