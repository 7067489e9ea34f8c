//! ipvsctl(8): every option and verb stands there, and every example works as printed.

use lab::Lab;
use lab::seed;
use lvs_core::rule::options;

const MANUAL: &str = include_str!("../../../man/ipvsctl.8");

/// The literal blocks of EXAMPLES, with roff's escapes undone.
fn examples() -> Vec<String> {
    let from = MANUAL.split(".Sh EXAMPLES").nth(1).expect("EXAMPLES");
    let section = from.split("\n.Sh ").next().unwrap_or_default();
    let blocks = section.split(".Bd -literal -offset indent\n").skip(1);
    blocks.filter_map(|b| b.split("\n.Ed").next()).map(|b| b.replace("\\e", "\\")).collect()
}

#[test]
fn every_example_works() {
    let all = examples();
    assert!(all.len() >= 10, "{} examples", all.len());
    let lab = Lab::new();
    let host = lab.host("d", &["192.168.15.100/21"]);
    host.ok("mkdir -p /etc/keepalived /var/tmp");
    host.write(seed::FILE, seed::CONFIG);
    for example in &all {
        let answer = host.run(&["bash", "-euo", "pipefail", "-c", example]);
        assert_eq!(answer.status, 0, "{answer}");
    }
    // The last two lines of the first example are still there at the end.
    let table = host.ok("ipvsadm -Sn");
    assert!(table.contains("-a -t 192.168.15.111:443 -r 192.168.15.110:443 -g -w 1\n"), "{table}");
    assert!(table.contains("-a -f 7 -r 192.168.15.103:0 -g -w 2\n"), "{table}");
}

#[test]
fn every_option_and_verb_is_in_the_manual_and_in_help() {
    let lab = Lab::new();
    let host = lab.bare_host("h");
    let help = host.ok("ipvsctl -h");
    for option in options() {
        let name = option.long.replace('-', "\\-");
        let known = [format!("Fl -{}", option.long), format!(", -{}", option.long), format!("-{name}")];
        assert!(known.iter().any(|k| MANUAL.contains(k.as_str())), "--{} is not in the manual", option.long);
    }
    let verbs = host.ok("ipvsctl help");
    for verb in verbs.lines().filter_map(|l| l.strip_prefix("  ")).filter_map(|l| l.split(' ').next()) {
        if verb.is_empty() || verb == "help" || verb.starts_with('-') {
            continue;
        }
        assert!(MANUAL.contains(&format!(".It Cm {verb}\n")), "{verb} is not in the manual");
        assert!(help.contains(verb), "{verb} is not in -h");
    }
}
