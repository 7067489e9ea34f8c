//! Numbers of linux/netfilter/nfnetlink.h, nf_tables.h and netfilter.h.

/// NFNL_SUBSYS_NFTABLES.
pub(super) const SUBSYSTEM: u16 = 10;
/// NFPROTO_INET.
pub(super) const INET: u8 = 1;
/// NF_INET_LOCAL_IN.
pub(super) const LOCAL_IN: u32 = 1;
/// NF_DROP and NF_ACCEPT.
pub(super) const DROP: u32 = 0;
pub(super) const ACCEPT: u32 = 1;
/// IPPROTO_ICMPV6, and its messages of RFC 4861.
pub(super) const ICMPV6: u8 = 58;
pub(super) const ND_SOLICIT: u8 = 135;
pub(super) const ND_ADVERT: u8 = 136;
/// NFT_REG_1, 16 bytes.
pub(super) const REGISTER: u32 = 1;
/// NFT_PAYLOAD_NETWORK_HEADER and NFT_PAYLOAD_TRANSPORT_HEADER.
pub(super) const NETWORK: u32 = 1;
pub(super) const TRANSPORT: u32 = 2;
pub(super) const META_NFPROTO: u32 = 15;
pub(super) const META_L4PROTO: u32 = 16;
/// NFTA_DATA_VALUE, NFTA_DATA_VERDICT, NFTA_VERDICT_CODE.
pub(super) const VALUE: u16 = 1;
pub(super) const VERDICT: u16 = 2;
pub(super) const VERDICT_CODE: u16 = 1;

/// NFNL_MSG_* and NFT_MSG_*.
pub(super) mod message {
    pub(in super::super) const BATCH_BEGIN: u16 = 16;
    pub(in super::super) const BATCH_END: u16 = 17;
    pub(in super::super) const NEW_TABLE: u16 = 0;
    pub(in super::super) const GET_TABLE: u16 = 1;
    pub(in super::super) const DEL_TABLE: u16 = 2;
    pub(in super::super) const NEW_CHAIN: u16 = 3;
    pub(in super::super) const NEW_RULE: u16 = 6;
    pub(in super::super) const NEW_SET: u16 = 9;
    pub(in super::super) const NEW_ELEM: u16 = 12;
    pub(in super::super) const DEL_ELEM: u16 = 14;
}

/// NFTA_TABLE_*.
pub(super) mod table {
    pub(in super::super) const NAME: u16 = 1;
}

/// NFTA_LIST_*.
pub(super) mod list {
    pub(in super::super) const ELEM: u16 = 1;
}

/// NFTA_CHAIN_* and NFTA_HOOK_*.
pub(super) mod chain {
    pub(in super::super) const TABLE: u16 = 1;
    pub(in super::super) const NAME: u16 = 3;
    pub(in super::super) const HOOK: u16 = 4;
    pub(in super::super) const POLICY: u16 = 5;
    pub(in super::super) const TYPE: u16 = 7;
    pub(in super::super) const HOOK_NUMBER: u16 = 1;
    pub(in super::super) const HOOK_PRIORITY: u16 = 2;
}

/// NFTA_SET_*.
pub(super) mod set {
    pub(in super::super) const TABLE: u16 = 1;
    pub(in super::super) const NAME: u16 = 2;
    pub(in super::super) const FLAGS: u16 = 3;
    pub(in super::super) const KEY_TYPE: u16 = 4;
    pub(in super::super) const KEY_LEN: u16 = 5;
    pub(in super::super) const ID: u16 = 10;
}

/// NFTA_SET_ELEM_LIST_* and NFTA_SET_ELEM_*.
pub(super) mod elem {
    pub(in super::super) const TABLE: u16 = 1;
    pub(in super::super) const SET: u16 = 2;
    pub(in super::super) const ELEMENTS: u16 = 3;
    pub(in super::super) const KEY: u16 = 1;
}

/// NFTA_RULE_*.
pub(super) mod rule {
    pub(in super::super) const TABLE: u16 = 1;
    pub(in super::super) const CHAIN: u16 = 2;
    pub(in super::super) const EXPRESSIONS: u16 = 4;
}

/// NFTA_EXPR_* and those of each expression.
pub(super) mod expr {
    pub(in super::super) const NAME: u16 = 1;
    pub(in super::super) const DATA: u16 = 2;
    pub(in super::super) const META_DREG: u16 = 1;
    pub(in super::super) const META_KEY: u16 = 2;
    pub(in super::super) const CMP_SREG: u16 = 1;
    pub(in super::super) const CMP_OP: u16 = 2;
    pub(in super::super) const CMP_DATA: u16 = 3;
    pub(in super::super) const PAYLOAD_DREG: u16 = 1;
    pub(in super::super) const PAYLOAD_BASE: u16 = 2;
    pub(in super::super) const PAYLOAD_OFFSET: u16 = 3;
    pub(in super::super) const PAYLOAD_LEN: u16 = 4;
    pub(in super::super) const LOOKUP_SET: u16 = 1;
    pub(in super::super) const LOOKUP_SREG: u16 = 2;
    pub(in super::super) const IMMEDIATE_DREG: u16 = 1;
    pub(in super::super) const IMMEDIATE_DATA: u16 = 2;
}
