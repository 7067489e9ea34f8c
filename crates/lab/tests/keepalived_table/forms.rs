//! Forms of virtual servers, each a file, with what has surprised somebody in it.

/// A name and a configuration.
pub(crate) const FORMS: [(&str, &str); 13] = [
    (
        "defaults-and-old-names",
        "virtual_server 10.0.0.1 80 {\nprotocol tcp\nlvs_sched wlc\nlvs_method NAT\nreal_server 10.0.0.2 8080 {\n}\nreal_server 10.0.0.3 {\nweight 0\n}\n}\n\
         virtual_server 10.0.0.2 53 {\nreal_server 10.0.0.4 53 {\nweight 7\n}\n}\n",
    ),
    (
        "ports-thresholds-methods",
        "virtual_server 10.0.0.1 443 {\nprotocol TCP\nlb_kind DR\nlb_algo wrr\nreal_server 10.0.0.2 8443 {\nuthreshold 90\nlthreshold 10\n}\n\
         real_server 10.0.0.3 443 {\nlvs_method TUN\n}\nreal_server 10.0.0.4 8443 {\nlvs_method NAT\n}\nreal_server 10.0.0.3 443 {\nweight 9\n}\n}\n",
    ),
    (
        "persistence",
        "virtual_server 10.0.0.1 {\nprotocol TCP\nlb_kind DR\npersistence_timeout\npersistence_granularity 255.255.255.0\nreal_server 10.0.0.2 {\n}\n}\n\
         virtual_server 10.0.0.2 80 {\nprotocol TCP\npersistence_timeout 0\nlb_algo nonsense\nlb_kind dr\nreal_server 10.0.0.2 80 {\n}\n}\n\
         virtual_server 10.0.0.3 {\nprotocol TCP\nreal_server 10.0.0.2 {\n}\n}\n\
         virtual_server 10.0.0.4 80 {\nprotocol TCP\npersistence_granularity 255.255.255.0\nreal_server 10.0.0.2 80 {\n}\n}\n",
    ),
    (
        "marks-and-a-group",
        "virtual_server_group g {\n10.0.1.1-3 80\n10.0.2.0/30 81\nfwmark 9\n}\n\
         virtual_server group g {\nprotocol TCP\nlb_kind DR\nreal_server 10.0.0.2 80 {\n}\nreal_server 10.0.0.3 {\n}\n}\n\
         virtual_server fwmark 5 {\nprotocol TCP\nlb_kind DR\nlb_algo sh\nsh-port\nreal_server 10.0.0.2 {\n}\nreal_server 10.0.0.3 80 {\n}\n}\n",
    ),
    (
        "a-group-with-translation",
        "virtual_server_group g {\n10.0.1.1-3 80\n10.0.2.0/30 81\nfwmark 9\n}\n\
         virtual_server group g {\nprotocol TCP\nlb_kind NAT\nreal_server 10.0.0.2 8080 {\n}\nreal_server 10.0.0.3 {\n}\nsorry_server 10.0.0.9 99\nsorry_server_inhibit\n}\n",
    ),
    (
        "a-group-of-tunnels",
        "virtual_server_group g {\n10.0.1.1 80\n10.0.1.1 443\n2001:db8::1 80\n}\n\
         virtual_server group g {\nprotocol TCP\nlb_kind TUN\npersistence_timeout 60\nsorry_server 10.0.0.9 99\nsorry_server_inhibit\n\
         real_server 10.0.0.2 {\n}\nreal_server 10.0.0.4 8080 {\n}\n}\n",
    ),
    (
        "tunnels",
        "virtual_server 10.0.0.1 80 {\nprotocol TCP\nlb_kind TUN type gue port 6080 csum\nreal_server 10.0.0.2 80 {\n}\nreal_server 10.0.0.3 80 {\nlvs_method TUN type gre\n}\n\
         real_server 10.0.0.4 80 {\nlvs_method TUN type ipip\n}\nreal_server 10.0.0.5 80 {\nlvs_method TUN type gue port 99 remcsum\n}\n}\n",
    ),
    (
        "ipv6",
        "virtual_server 2001:db8::1 80 {\nprotocol TCP\nlb_kind DR\nlb_algo mh\nmh-port\nmh-fallback\nreal_server 2001:db8::2 80 {\n}\n}\n\
         virtual_server 2001:db8::3 80 {\nprotocol TCP\nlb_kind NAT\npersistence_timeout 60\npersistence_granularity 64\nreal_server 2001:db8::2 8080 {\n}\n}\n\
         virtual_server fwmark 6 {\nlb_kind DR\nreal_server 2001:db8::2 80 {\n}\n}\n\
         virtual_server fwmark 7 {\nip_family inet6\nlb_kind DR\npersistence_timeout 60\npersistence_granularity 64\nreal_server 2001:db8::2 80 {\n}\n}\n",
    ),
    (
        "a-service-twice",
        "virtual_server 10.0.0.1 80 {\nprotocol TCP\nlb_kind DR\nlb_algo rr\nreal_server 10.0.0.2 80 {\n}\n}\n\
         virtual_server 10.0.0.1 80 {\nprotocol TCP\nlb_kind DR\nlb_algo lc\nreal_server 10.0.0.3 80 {\n}\n}\n",
    ),
    (
        "a-service-in-two-groups",
        "virtual_server_group g {\n10.0.1.1 80\n10.0.1.2 80\n}\nvirtual_server_group h {\n10.0.1.1 80\n10.0.1.3 80\n}\n\
         virtual_server group g {\nprotocol TCP\nlb_kind DR\nlb_algo rr\nreal_server 10.0.0.2 {\n}\n}\n\
         virtual_server group h {\nprotocol TCP\nlb_kind DR\nlb_algo lc\nreal_server 10.0.0.3 {\n}\n}\n",
    ),
    (
        "flags",
        "virtual_server 10.0.0.1 53 {\nprotocol UDP\nops\nlb_algo sh\nflag-1\nflag-3\nreal_server 10.0.0.2 53 {\n}\n}\n\
         virtual_server 10.0.0.2 53 {\nprotocol SCTP\nhashed\nlb_algo fo\nweight 3\nquorum 9\nreal_server 10.0.0.2 53 {\n}\nreal_server 10.0.0.3 53 {\nweight 5\n}\n}\n",
    ),
    (
        "ops-without-udp",
        "virtual_server_group g {\n10.0.2.1 80\nfwmark 9\n}\nvirtual_server group g {\nprotocol TCP\nops\nreal_server 10.0.0.2 {\n}\n}\n\
         virtual_server 10.0.0.1 80 {\nprotocol TCP\nops\nreal_server 10.0.0.2 80 {\n}\n}\n\
         virtual_server 10.0.0.3 80 {\nprotocol SCTP\nops\nreal_server 10.0.0.2 80 {\n}\n}\n\
         virtual_server fwmark 5 {\nops\nreal_server 10.0.0.2 {\n}\n}\n",
    ),
    (
        "a-sip-engine",
        "virtual_server 10.0.0.1 5060 {\nprotocol UDP\npersistence_timeout 60\npersistence_engine sip\nreal_server 10.0.0.2 5060 {\n}\n}\n",
    ),
];
