use crate::conf::{Config, Diag, Env, NoFiles, parse};

fn read(text: &str) -> (Config, Vec<Diag>) {
    parse("t.conf", text.as_bytes(), &mut NoFiles, &Env::default())
}

fn instance(name: &str, interface: &str, lines: &str) -> String {
    format!(
        "vrrp_instance {name} {{\ninterface {interface}\nvirtual_router_id 51\npriority 100\n{lines}\n}}\n"
    )
}

/// `address@interface mac`, with the instance's own VMAC first.
fn vmacs(text: &str) -> Vec<String> {
    let (config, findings) = read(text);
    assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    let mut all = Vec::new();
    for i in &config.instances {
        all.extend(i.vmac.as_ref().map(|v| format!("{} {}", v.name.value, v.mac.value)));
        for a in i.addresses.iter().chain(&i.excluded) {
            all.extend(
                a.vmac.as_ref().map(|v| format!("{} {}@{} {}", a.prefix.addr, v.name, a.dev.value, v.mac)),
            );
        }
    }
    all
}

const FOUR: &str = "00:00:5e:00:01:33";
const SIX: &str = "00:00:5e:00:02:33";

fn written(list: &[(&str, &str)]) -> Vec<String> {
    list.iter().map(|(head, mac)| format!("{head} {mac}")).collect()
}

/// The names and addresses here and below are those that keepalived 2.2.7 made.
#[test]
fn addresses_of_one_interface_and_family_share_one() {
    let lines = "virtual_ipaddress {\n10.0.0.9\n10.0.1.9 dev eth1 use_vmac\n10.0.1.8 dev eth1 use_vmac\n}\n\
                 virtual_ipaddress_excluded {\n10.0.1.10 dev eth1\n2001:db8:1::9 dev eth1 use_vmac\n2001:db8::9 use_vmac\n}";
    assert_eq!(
        vmacs(&instance("V", "eth0", lines)),
        written(&[
            ("10.0.1.9 vrrp.51@eth1", FOUR),
            ("10.0.1.8 vrrp.51@eth1", FOUR),
            ("2001:db8:1::9 vrrp6.51@eth1", SIX),
            ("2001:db8::9 vrrp1.51@eth0", SIX),
        ])
    );
}

#[test]
fn the_instance_s_own_serves_its_interface_and_family_and_lends_its_mac() {
    let lines = "use_vmac\nuse_vmac_addr\nvirtual_ipaddress {\n10.0.0.9 use_vmac\n10.0.1.9 dev eth1\n}\n\
                 virtual_ipaddress_excluded {\n2001:db8:1::9 dev eth1\n2001:db8::9\n}";
    assert_eq!(
        vmacs(&instance("V", "eth0", lines)),
        written(&[
            ("vrrp.51", FOUR),
            ("10.0.1.9 vrrp1.51@eth1", FOUR),
            ("2001:db8:1::9 vrrp6.51@eth1", SIX),
            ("2001:db8::9 vrrp2.51@eth0", SIX),
        ])
    );
    let named = "use_vmac foo 02:00:00:00:00:01\nvirtual_ipaddress {\n10.0.0.9\n10.0.1.9 dev eth1 use_vmac\n}\n\
                 virtual_ipaddress_excluded {\n2001:db8::9 use_vmac\n10.0.0.7 dev foo use_vmac\n}";
    let prefix = "global_defs {\nvmac_prefix vp\nvmac_addr_prefix ap\n}\n";
    assert_eq!(
        vmacs(&(prefix.to_owned() + &instance("V", "eth0", named))),
        written(&[
            ("foo", "02:00:00:00:00:01"),
            ("10.0.1.9 ap.51@eth1", "02:00:00:00:00:01"),
            ("2001:db8::9 foo@eth0", "02:00:00:00:00:01"),
        ])
    );
}

#[test]
fn use_vmac_addr_is_for_what_is_elsewhere() {
    let lines = "use_vmac_addr\nvirtual_ipaddress {\n10.0.0.9\n10.0.1.9 dev eth1\n}\n\
                 virtual_ipaddress_excluded {\n2001:db8::9\n}";
    assert_eq!(
        vmacs(&instance("V", "eth0", lines)),
        written(&[("10.0.1.9 vrrp.51@eth1", FOUR), ("2001:db8::9 vrrp6.51@eth0", SIX)])
    );
}

#[test]
fn names_go_by_the_file_s_order() {
    let six = "use_vmac\nvirtual_ipaddress {\nfe80::9\n}";
    assert_eq!(vmacs(&instance("W", "eth0", six)), written(&[("vrrp.51", SIX)]));
    let four = "virtual_ipaddress {\n10.0.0.9\n10.0.1.9 dev eth1 use_vmac\n}";
    let both = instance("V", "eth0", four) + &instance("W", "eth0", six);
    assert_eq!(vmacs(&both), written(&[("10.0.1.9 vrrp.51@eth1", FOUR), ("vrrp6.51", SIX)]));
    let prefix = "global_defs {\nvmac_prefix vp\n}\n";
    let lines = "virtual_ipaddress {\n10.0.0.9 use_vmac\n10.0.1.9 dev eth1 use_vmac\n}";
    assert_eq!(
        vmacs(&(prefix.to_owned() + &instance("V", "eth0", lines))),
        written(&[("10.0.0.9 vp.51@eth0", FOUR), ("10.0.1.9 vp1.51@eth1", FOUR)])
    );
}

#[test]
fn a_name_that_is_written_twice_is_the_first_one_s() {
    let one = |name: &str, vrid: &str, last: u8| {
        let lines = format!("use_vmac foo\nvirtual_ipaddress {{\n10.0.0.{last}\n}}");
        instance(name, "eth0", &lines).replace("id 51", vrid)
    };
    let (config, findings) = read(&(one("V", "id 51", 1) + &one("W", "id 52", 2)));
    let names: Vec<_> =
        config.instances.iter().filter_map(|i| Some(i.vmac.as_ref()?.name.value.clone())).collect();
    assert_eq!(names, ["foo", "vrrp.52"]);
    assert!(findings.iter().any(|f| f.code == "duplicate-vmac"), "{findings:?}");
}

#[test]
fn a_vmac_belongs_to_one_instance() {
    let one = "virtual_ipaddress {\n10.0.0.9\n10.0.1.9 dev eth1 use_vmac\n}";
    let own = "use_vmac\nvirtual_ipaddress {\n10.0.1.8\n}";
    let single = "virtual_ipaddress {\n10.0.1.8 use_vmac\n}";
    for other in [own, single] {
        let (config, findings) = read(&(instance("V", "eth0", one) + &instance("W", "eth1", other)));
        assert_eq!(config.instances.len(), 1);
        assert_eq!(config.left_out.len(), 1);
        let text = "V both need a VMAC with the address 00:00:5e:00:01:33 on interface eth1; W is left out";
        assert!(
            findings.iter().any(|f| f.code == "duplicate-vmac" && f.message.ends_with(text)),
            "{findings:?}"
        );
    }
}
