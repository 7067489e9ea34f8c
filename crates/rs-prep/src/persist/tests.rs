use super::*;

fn vips() -> Vec<Vip> {
    ["192.168.15.111", "192.168.15.112", "2001:db8::111"].map(|a| Vip::direct(a.parse().unwrap())).to_vec()
}

fn program(file: &str) -> Program<'_> {
    Program { file: Path::new(file), state_dir: None }
}

fn last(format: Format) -> File {
    let (files, _) = files(format, &vips(), program("/usr/local/sbin/rs-prep")).unwrap();
    files.last().unwrap().clone()
}

#[test]
fn the_settings_come_before_any_address() {
    for format in [Format::Networkd, Format::Ifupdown, Format::Netplan, Format::NetworkManager] {
        let (files, _) = files(format, &vips(), program("rs-prep")).unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(files[0].path, SYSCTL);
        assert!(files[0].text.contains("\nnet.ipv4.conf.all.arp_ignore = 1\n"));
    }
    assert_eq!(PATHS.last(), Some(&SYSCTL), "and go after it");
}

#[test]
fn every_file_carries_the_mark_and_is_one_that_unpersist_knows() {
    for format in Format::value_variants() {
        let (files, then) = files(*format, &vips(), program("rs-prep")).unwrap();
        assert!(!then.is_empty());
        for file in files {
            assert!(file.text.starts_with(MARK), "{format:?}");
            assert!(PATHS.contains(&file.path), "{}", file.path);
            assert!(file.text.ends_with('\n'));
        }
    }
}

#[test]
fn networkd() {
    let text = last(Format::Networkd).text;
    let want = "[Match]\nName=lo\n\n[Address]\nAddress=192.168.15.111/32\nLabel=lo:0\n\n\
                [Route]\nDestination=192.168.15.111/32\nScope=link\nPreferredSource=192.168.15.111\n";
    assert!(text.contains(want), "{text}");
    assert!(text.contains("Address=192.168.15.112/32\nLabel=lo:1\n"), "{text}");
    assert!(text.contains("Address=2001:db8::111/128\n"), "{text}");
}

#[test]
fn ifupdown() {
    let text = last(Format::Ifupdown).text;
    let settings = text.find("pre-up sysctl").unwrap();
    assert!(
        settings < text.find("    address 192.168.15.111\n    netmask 255.255.255.255\n").unwrap(),
        "{text}"
    );
    assert!(text.contains("auto lo:1\niface lo:1 inet static\n"), "{text}");
    assert!(text.contains("iface lo inet6 static\n    address 2001:db8::111\n    netmask 128\n"), "{text}");
}

#[test]
fn netplan_and_networkmanager() {
    let file = last(Format::Netplan);
    assert_eq!(file.mode, 0o600, "netplan warns of others");
    assert!(
        file.text.contains("        - \"192.168.15.111/32\":\n            label: \"lo:0\"\n"),
        "{}",
        file.text
    );
    assert!(file.text.contains("        - \"2001:db8::111/128\"\n"), "{}", file.text);
    let file = last(Format::NetworkManager);
    assert_eq!(file.mode, 0o600, "NetworkManager ignores others");
    let text = file.text;
    assert!(
        text.contains("address1=127.0.0.1/8\naddress2=192.168.15.111/32\naddress3=192.168.15.112/32\n"),
        "{text}"
    );
    assert!(text.contains("address1=::1/128\naddress2=2001:db8::111/128\n"), "{text}");
}

#[test]
fn a_tunnel_needs_the_unit() {
    let tunnel = [Vip::tunnel("10.0.0.1".parse().unwrap()), vips()[0]];
    assert!(files(Format::Networkd, &tunnel, program("rs-prep")).is_err());
    let (files, _) = files(Format::Unit, &tunnel, program("/sbin/rs-prep")).unwrap();
    let text = &files[0].text;
    let want = "ExecStart=/sbin/rs-prep up 192.168.15.111\nExecStart=/sbin/rs-prep up --tunnel 10.0.0.1\n\
                ExecStop=/sbin/rs-prep down 192.168.15.111 10.0.0.1\n";
    assert!(text.contains(want), "{text}");
}

#[test]
fn what_a_file_holds_is_read_from_it_again() {
    for format in Format::value_variants().iter().filter(|format| **format != Format::Sysctl) {
        assert_eq!(held(&last(*format).text), vips(), "{format:?}");
        assert_eq!(last(*format).path, format.path());
    }
    let both = [vips()[0], Vip::tunnel("10.0.0.1".parse().unwrap())];
    let (files, _) = files(Format::Unit, &both, program("/sbin/rs-prep")).unwrap();
    assert_eq!(held(&files[0].text), both);
    assert_eq!(held(&sysctl()), []);
}

#[test]
fn a_vip_comes_to_those_that_are_held() {
    let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|addr| addr.parse().unwrap());
    assert_eq!(together(&[Vip::direct(a)], &[Vip::direct(b)]), [Vip::direct(a), Vip::direct(b)]);
    let asked = [Vip::direct(b), Vip::tunnel(a)];
    assert_eq!(
        together(&[Vip::direct(a)], &asked),
        [Vip::tunnel(a), Vip::direct(b)],
        "as it was asked for last"
    );
}

#[test]
fn ifup_does_nothing_for_ipv6() {
    let then = |vips: &[Vip]| files(Format::Ifupdown, vips, program("rs-prep")).unwrap().1;
    assert_eq!(then(&vips()), "ifup -a; rs-prep up 2001:db8::111");
    assert_eq!(
        (then(&vips()[..2]), then(&vips()[2..])),
        ("ifup -a".into(), "rs-prep up 2001:db8::111".into())
    );
}

#[test]
fn the_unit_runs_the_same_program_with_the_same_memory() {
    let file = Path::new("/opt/50% \"new\" up 10.9.9.9 /rs-prep");
    let dir = Some(Path::new("/srv/a$b 1"));
    let (files, _) = files(Format::Unit, &vips()[..1], Program { file, state_dir: dir }).unwrap();
    let words = r#""/opt/50%% \"new\" up 10.9.9.9 /rs-prep" --state-dir "/srv/a$$b 1""#;
    let text = &files[0].text;
    assert!(text.contains(&format!("\nExecStart={words} up 192.168.15.111\n")), "{text}");
    assert!(text.contains(&format!("\nExecStop={words} down 192.168.15.111\n")), "{text}");
    assert_eq!(held(text), vips()[..1], "and what it holds is read from it again");
    assert_eq!(unit_word("/usr/sbin/rs-prep"), "/usr/sbin/rs-prep");
}
