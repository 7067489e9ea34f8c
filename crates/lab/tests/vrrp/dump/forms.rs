//! The syntax, case by case: small configurations whose meaning keepalived itself is asked for.
//!
//! `HOST` stands for the name of this host, which is the config id.

/// A name, and files: the first is the configuration, the others are beside it.
pub(super) type Form = (&'static str, &'static [(&'static str, &'static [u8])]);

macro_rules! router {
    ($($lines:literal),* $(,)?) => {
        concat!("vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n", $($lines, "\n",)* "}\n").as_bytes()
    };
}

pub(super) const FORMS: [Form; 51] = [
    ("braces on their own line", &[("k", b"vrrp_instance V\n{\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress\n{\n10.0.0.1\n}\n}\n")]),
    ("braces glued to words", &[("k", b"vrrp_instance V{\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress{\n10.0.0.1\n}\n}\n")]),
    ("a block on one line", &[("k", router!("virtual_ipaddress { 10.0.0.1 }"))]),
    ("comments", &[("k", router!("# one", "! two", "priority 50 # three", "virtual_ipaddress { ! four", "10.0.0.1 #five", "#10.0.0.2", "}"))]),
    ("comments glued to words", &[("k", router!("priority 50#x", "virtual_ipaddress {", "10.0.0.1!x", "}"))]),
    ("quotes of a password", &[("k", router!("authentication {", "auth_type PASS", "auth_pass \"a#b !c\"", "}"))]),
    ("a quote inside a word", &[("k", router!("authentication {", "auth_type PASS", "auth_pass a\"b c\"d", "}"))]),
    ("single quotes", &[("k", router!("authentication {", "auth_type PASS", "auth_pass 'x y'", "}"))]),
    ("a password cut by a comment", &[("k", router!("authentication {", "auth_type PASS", "auth_pass ab#cd", "}"))]),
    ("a long password", &[("k", router!("authentication {", "auth_type PASS", "auth_pass 1234567890", "}"))]),
    ("definitions", &[("k", b"$P=77\n$VIP=10.0.0.1\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\npriority $P\nvirtual_ipaddress {\n${VIP}/24\n}\n}\n")]),
    ("late and recursive definitions", &[("k", b"$A=${B}1\n$B=7\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\npriority ${A}\n$B=8\nvirtual_ipaddress {\n10.0.0.${A}\n}\n}\n")]),
    ("an empty definition", &[("k", b"$E=\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n$E priority 9\nvirtual_ipaddress {\n10.0.0.1${E}\n}\n}\n")]),
    ("an undefined name", &[("k", router!("priority $NONE", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("a multi-line definition", &[("k", b"$BODY= \\\n    interface eth0 \\\n    virtual_router_id 5 \\\n    priority ${P} \\\n    virtual_ipaddress { \\\n        10.0.0.${P} \\\n    }\n$P=9\nvrrp_instance V {\n$BODY\n}\n$P=10\nvrrp_instance W {\n$BODY\nvirtual_router_id 6\n}\n")]),
    ("a multi-line definition with its own brace", &[("k", b"$ROUTER= \\\nvrrp_instance V$N { \\\ninterface eth0 \\\nvirtual_router_id $N \\\n}\n$N=3\n$ROUTER\n$N=4\n$ROUTER\n")]),
    ("lines of this host", &[("k", router!("@HOST priority 70", "@elsewhere priority 80", "virtual_ipaddress {", "@^HOST 10.0.0.1", "@^elsewhere 10.0.0.2", "}"))]),
    ("definitions of this host", &[("k", b"@HOST $P=70\n@elsewhere $P=80\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\npriority $P\n}\n")]),
    ("a sequence", &[("k", router!("virtual_ipaddress {", "~SEQ(n, 3) 10.0.0.$n", "~SEQ(n, 5, 7) 10.0.1.$n", "~SEQ(n, 1, 4, 10) 10.0.2.$n", "}"))]),
    ("a falling sequence", &[("k", router!("virtual_ipaddress {", "~SEQ(n, 9, -2, 3) 10.0.0.$n", "}"))]),
    ("sequences in a row", &[("k", router!("virtual_ipaddress {", "~SEQ(a, 2) ~SEQ(b, 2) 10.0.$a.$b", "}"))]),
    ("a sequence in hexadecimal", &[("k", b"vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress {\n~SEQx(n, 9, 12) fe80::$n\n}\n}\n")]),
    ("CRLF", &[("k", b"vrrp_instance V {\r\ninterface eth0\r\nvirtual_router_id 5\r\nvirtual_ipaddress {\r\n10.0.0.1\r\n}\r\n}\r\n")]),
    ("tabs, vertical tabs and form feeds", &[("k", b"vrrp_instance\tV {\n\tinterface\x0beth0\nvirtual_router_id\x0c5\n \t\n}\n")]),
    ("comments in an old encoding", &[("k", b"# \xb1\xb8\xd6\xf7\nvrrp_instance V { # \xe9\ninterface eth0\nvirtual_router_id 5\n}\n")]),
    ("no newline at the end", &[("k", b"vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n}")]),
    ("an include beside the file", &[("k", b"include routers/v\n"), ("routers/v", router!("include addresses")), ("routers/addresses", b"virtual_ipaddress {\n10.0.0.1\n}\n")]),
    ("an include in the middle of a block", &[("k", router!("virtual_ipaddress {", "include some", "10.0.0.9", "}")), ("some", b"10.0.0.1\n10.0.0.2\n")]),
    ("included patterns", &[("k", b"include r/*.conf\ninclude r/{x,y}\n"), ("r/b.conf", b"vrrp_instance B {\ninterface eth0\nvirtual_router_id 6\n}\n"), ("r/a.conf", router!("priority 3")), ("r/x", b"vrrp_instance X {\ninterface eth0\nvirtual_router_id 7\n}\n"), ("r/y", b"vrrp_instance Y {\ninterface eth0\nvirtual_router_id 8\n}\n")]),
    ("an include that is not there", &[("k", b"include nowhere/*\ninclude none\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n}\n")]),
    ("definitions through includes", &[("k", b"$P=5\ninclude v\nvrrp_instance W {\ninterface eth0\nvirtual_router_id 6\npriority $Q\n}\n"), ("v", b"$Q=9\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\npriority $P\n}\n")]),
    ("VMACs of addresses", &[("k", router!("use_vmac", "garp_extra_if all 30", "virtual_ipaddress {", "10.0.0.1 use_vmac", "10.0.1.1 dev eth1 use_vmac", "10.0.2.1 dev eth2", "}", "virtual_ipaddress_excluded {", "2001:db8::1 use_vmac", "2001:db8::2", "}"))]),
    ("VMACs of others", &[("k", b"global_defs {\nvrrp_garp_extra_if 20\nvmac_prefix vp\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nuse_vmac_addr\nvirtual_ipaddress {\n10.0.0.1\n10.0.1.1 dev eth1\n}\n}\nvrrp_instance W {\ninterface eth0\nvirtual_router_id 5\nuse_vmac\nvirtual_ipaddress {\nfe80::1\n}\n}\nvrrp_instance X {\ninterface eth1\nvirtual_router_id 6\ngarp_extra_if 0\nvirtual_ipaddress {\n10.0.1.2 use_vmac\n}\n}\n")]),
    ("unknown keywords", &[("k", router!("no_such_thing 5", "priority 60", "virtual_ipaddress {", "10.0.0.1", "}", "neither_this"))]),
    ("values that are wrong", &[("k", router!("priority 300", "advert_int x", "garp_master_repeat -1", "preempt_delay 9999", "state master", "version 4"))]),
    ("fractions and limits", &[("k", b"vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nadvert_int 0.4\nvirtual_ipaddress {\n10.0.0.1\n}\n}\nvrrp_instance W {\ninterface eth0\nvirtual_router_id 6\nversion 3\nadvert_int 0.37\npreempt_delay 1000\nvirtual_ipaddress {\n10.0.0.1\n}\n}\nvrrp_instance X {\ninterface eth0\nvirtual_router_id 255\nadvert_int 255\npriority 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n")]),
    ("strict rules", &[("k", router!("strict_mode", "accept", "skip_check_adv_addr", "lower_prio_no_advert off", "higher_prio_send_advert", "state MASTER", "priority 150", "nopreempt", "preempt_delay 5", "authentication {", "auth_type PASS", "auth_pass x", "}", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("strict rules of version 3", &[("k", router!("version 3", "strict_mode", "accept", "preempt_delay 5", "use_vmac", "vmac_xmit_base", "unicast_peer {", "10.250.1.9", "}", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("strict rules of an owner", &[("k", router!("strict_mode", "state MASTER", "nopreempt", "preempt_delay 5", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("no preemption and its delay", &[("k", router!("nopreempt", "preempt_delay 5"))]),
    ("a password without its type", &[("k", router!("authentication {", "auth_pass x", "}"))]),
    ("a type in lower case", &[("k", router!("authentication {", "auth_type pass", "auth_pass x", "}"))]),
    ("a type's old name", &[("k", router!("authentication {", "auth_type SIMPLE_PASSWORD", "auth_pass x", "}"))]),
    ("a second type that is none", &[("k", router!("authentication {", "auth_type PASS", "auth_pass x", "auth_type none", "}"))]),
    ("peers with prefix lengths", &[("k", router!("unicast_src_ip 10.250.1.1/24", "unicast_peer {", "10.250.1.2/24", "10.250.1.3/x max_ttl 9", "}", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("a source with a prefix length", &[("k", router!("mcast_src_ip 10.250.1.1/24", "mcast_dst_ip 224.0.0.99/4", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("hundredths that are rounded up", &[("k", router!("version 3", "advert_int 0.015", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("hundredths that are rounded down", &[("k", router!("version 3", "advert_int 0.0149", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("repeats of nothing", &[("k", b"global_defs {\nvrrp_garp_master_repeat 0\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\ngarp_master_refresh_repeat 0\ngarp_lower_prio_repeat 0\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n")]),
    ("a VMAC and a unicast source alone", &[("k", router!("use_vmac", "unicast_src_ip 10.250.1.1", "virtual_ipaddress {", "10.0.0.1", "}"))]),
    ("nearly a second", &[("k", router!("version 3", "advert_int 0.999", "virtual_ipaddress {", "10.0.0.1", "}"))]),
];
