use lvs_core::conf::At;

use super::*;

#[test]
fn no_more_is_handed_over_at_once_than_a_pipe_holds() {
    let long = "x".repeat(AT_ONCE / 3);
    let lines = [long.as_str(); 7];
    assert_eq!((fitting(&lines), fitting(&lines[..1])), (2, 1));
    let endless = "x".repeat(2 * AT_ONCE);
    assert_eq!(fitting(&[&endless, "y"]), 1);
    assert_eq!(fitting(&["a"; 10]), 10);
}

#[test]
fn why_ip_did_nothing_is_told_apart() {
    let text = |kind: io::ErrorKind| cannot_run(&kind.into());
    assert!(text(io::ErrorKind::NotFound).contains("apt install iproute2"));
    assert!(text(io::ErrorKind::TimedOut).starts_with("was not done in 3 s and is killed"));
}

#[test]
fn lines_are_marked_and_name_what_they_remove() {
    let words = |text: &str| text.split(' ').map(|w| At::assumed(w.to_owned())).collect();
    let route = model::Route {
        family: Family::Inet,
        words: words("10.0.0.0/8 via 192.168.15.1"),
        no_track: false,
        track_group: None,
    };
    let rule = model::Rule {
        family: Family::Inet6,
        words: words("from fd00::1 table 7"),
        no_track: false,
        track_group: None,
    };
    let found = lines(&[route], &[rule]);
    let text: Vec<[&str; 2]> = found.iter().map(|l| [l.add.as_str(), l.remove.as_str()]).collect();
    assert_eq!(
        text,
        [
            [
                "-4 route replace 10.0.0.0/8 via 192.168.15.1 protocol 18",
                "-4 route del 10.0.0.0/8 via 192.168.15.1 protocol 18"
            ],
            ["-6 rule add from fd00::1 table 7 protocol 18", "-6 rule del from fd00::1 table 7 protocol 18"]
        ]
    );
    assert_eq!(found[0].to_string(), "route 10.0.0.0/8 via 192.168.15.1 protocol 18");
}

#[test]
fn each_line_that_failed_is_numbered_with_its_reason() {
    let said = "Error: Nexthop has invalid gateway.\nCommand failed -:1\nRTNETLINK answers: File exists\nCommand failed -:2\n\
                Cannot find device \"x\"\nCommand failed -:4\n";
    let (found, rest) = failures(said);
    let place = |n: usize| end(found.iter().find(|(at, _)| *at == n));
    assert_eq!(place(0), Err("Error: Nexthop has invalid gateway.".to_owned()));
    assert_eq!((place(1), place(2)), (Ok(false), Ok(true)));
    assert_eq!(place(3), Err("Cannot find device \"x\"".to_owned()));
    assert_eq!(rest, "");
    let unread = "Command line is not complete. Try option \"help\"\n";
    assert_eq!(failures(unread), (Vec::new(), unread.trim().to_owned()));
}

#[test]
fn the_mark_comes_before_next_hops() {
    let words = "10.9.0.0/16 nexthop via 10.0.0.1 nexthop via 10.0.0.2";
    let words = words.split(' ').map(|w| At::assumed(w.to_owned())).collect();
    let route = model::Route { family: Family::Inet, words, no_track: false, track_group: None };
    let wanted = "-4 route del 10.9.0.0/16 protocol 18 nexthop via 10.0.0.1 nexthop via 10.0.0.2";
    assert_eq!(lines(&[route], &[])[0].remove, wanted);
}

#[test]
fn the_removal_of_an_ipv6_route_takes_no_other_metric() {
    let route = |words: &str| {
        let words = words.split(' ').map(|w| At::assumed(w.to_owned())).collect();
        model::Route { family: Family::Inet6, words, no_track: false, track_group: None }
    };
    let lines = lines(&[route("fd09::/64 dev x"), route("fd08::/64 dev x metric 5")], &[]);
    assert_eq!(
        removals(lines.iter()),
        [
            "-6 route del fd08::/64 dev x metric 5 protocol 18",
            "-6 route del fd09::/64 dev x protocol 18 metric 1024"
        ]
    );
}
