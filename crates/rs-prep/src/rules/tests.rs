use super::*;

fn nft(text: &str) -> Rules {
    Rules::of_nft(text)
}

#[test]
fn nft_rules_carry_their_place_and_handle() {
    let text = "table ip nat { # handle 4
\tchain postrouting { # handle 1
\t\ttype nat hook postrouting priority srcnat; policy accept;
\t\tip saddr 192.168.15.111 masquerade # handle 3
\t\tip saddr 10.0.0.0/8 accept # handle 5
\t}
}";
    let want = ["ip nat postrouting ip saddr 192.168.15.111 masquerade # handle 3".to_owned()];
    assert_eq!(nft(text), Rules { nat: want.into(), ..Rules::default() });
}

#[test]
fn what_drops_invalid_packets_is_found_in_every_writing() {
    for rule in [
        "ct state invalid drop # handle 2",
        "ct state { invalid, untracked } counter packets 0 bytes 0 drop # handle 2",
        "ct state vmap { invalid : drop, established : accept, related : accept } # handle 2",
        "ct state vmap { established : accept, related : accept, invalid : drop } # handle 2",
        "ct state 0x1 drop # handle 2",
        "ct state 0x1,0x40 drop # handle 2",
        "ct state vmap { 0x1 : drop, 0x2 : accept } # handle 2",
    ] {
        let text = format!("table inet filter {{\nchain input {{\n{rule}\n}}\n}}\n");
        assert_eq!(nft(&text).invalid, [format!("inet filter input {rule}")]);
    }
    for rule in [
        "ct state established accept",
        "ct state vmap { invalid : accept, new : drop }",
        "tcp dport 9 drop",
        "ct state new meta mark 0x1 drop",
        "ct state 0x8 drop",
    ] {
        let text = format!("table inet filter {{\nchain input {{\n{rule}\n}}\n}}\n");
        assert_eq!(nft(&text), Rules::default(), "{rule}");
    }
}

#[test]
fn rules_that_set_marks_are_kept_and_whether_one_looks_at_a_mac() {
    let plain = nft("table ip m {\nchain p {\nip daddr 10.0.0.1 meta mark set 0x7 # handle 2\n}\n}\n");
    let want = Marking { mark: 7, rule: "ip m p ip daddr 10.0.0.1 meta mark set 0x7 # handle 2".to_owned() };
    assert_eq!((plain.marks, plain.by_mac), (vec![want], false));
    let mut saved = Rules::default();
    saved.take_saved(&["*mangle\n-A PREROUTING -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT\n"]);
    assert_eq!((saved.marks, saved.by_mac), (Vec::new(), true));
}

#[test]
fn saved_tables_are_told_apart() {
    let text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -j ACCEPT\nCOMMIT\n\
                *nat\n-A POSTROUTING -s 192.168.15.111 -j MASQUERADE\nCOMMIT\n";
    let mut rules = Rules::default();
    rules.take_saved(&[text, "*raw\n-A PREROUTING -m state --state INVALID,NEW -j DROP\n"]);
    assert_eq!(rules.nat, ["-A POSTROUTING -s 192.168.15.111 -j MASQUERADE"]);
    let [first, second] = &rules.invalid[..] else { panic!("{rules:?}") };
    assert!(first.starts_with("-A INPUT") && second.starts_with("-A PREROUTING"), "{rules:?}");
}

#[test]
fn rules_for_arp_are_those_of_chains_that_see_what_comes_or_goes() {
    let mut rules = nft(
        "table arp f {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n\t\tarp daddr ip 10.0.0.1 drop\n\t}\n\
         \tchain own {\n\t\tarp daddr ip 10.0.0.1 drop\n\t}\n}\ntable ip f {\n\tchain i {\n\
         \t\ttype filter hook input priority 0; policy accept;\n\t\tip daddr 10.0.0.1 drop\n\t}\n}\n",
    );
    rules.take_arptables("*filter\n:INPUT ACCEPT\n-A INPUT -j DROP -d 10.0.0.2\n");
    let rules: Vec<_> = rules.arp.iter().map(|rule| rule.rule.as_str()).collect();
    assert_eq!(rules, ["arp f i arp daddr ip 10.0.0.1 drop", "-A INPUT -j DROP -d 10.0.0.2"]);
}
