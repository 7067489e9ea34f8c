use serde_json::json;

use super::*;

fn removals(line: &str, found: &Value) -> Vec<String> {
    Search::new(line).unwrap().removals(found)
}

#[test]
fn a_route_is_asked_for_by_what_tells_it_from_others() {
    for (line, query) in [
        (
            "-4 route del 10.9.0.0/16 via 192.168.15.1 dev ens192 protocol 18",
            "10.9.0.0/16 via 192.168.15.1 dev ens192 protocol 18",
        ),
        (
            "-4 route del default via 10.0.0.1 metric 5 mtu 1400 protocol 18",
            "default via 10.0.0.1 protocol 18",
        ),
        (
            "-4 route del 10.9.0.0/16 protocol 18 nexthop via 10.0.0.1 nexthop via 10.0.0.2",
            "10.9.0.0/16 protocol 18",
        ),
        ("-6 route del src fd00::1 to fd00::/64 dev x table 7 proto static", ""),
    ] {
        let asked = Search::new(line).unwrap().query;
        let wanted = if query.is_empty() {
            "src fd00::1 exact fd00::/64 dev x table 7 proto static".to_owned()
        } else {
            format!("exact {query}")
        };
        assert_eq!(asked, format!("route show {wanted}"), "{line}");
    }
    let asked = Search::new("-4 route del blackhole 10.7.0.0/16 protocol 18").unwrap().query;
    assert_eq!(asked, "route show type blackhole exact 10.7.0.0/16 protocol 18");
}

#[test]
fn a_route_with_more_than_the_file_says_is_another_one() {
    let line = "-4 route del 10.9.0.0/16 dev ens192 protocol 18";
    assert_eq!(removals(line, &json!([{"dst": "10.9.0.0/16", "scope": "link", "flags": []}])), [line]);
    assert_eq!(removals(line, &json!([])), [""; 0]);
    for other in [json!({"metric": 50}), json!({"gateway": "192.168.15.1"}), json!({"prefsrc": "10.0.0.1"})] {
        assert_eq!(removals(line, &json!([other])), [""; 0]);
    }
    // The kernel takes the lower metric.
    assert_eq!(
        removals(line, &json!([{"dst": "10.9.0.0/16"}, {"dst": "10.9.0.0/16", "metric": 50}])),
        [line]
    );
    assert_eq!(removals(line, &json!([{"gateway": "192.168.15.1"}, {"scope": "link"}])), [""; 0]);
}

#[test]
fn next_hops_are_one_route_and_metrics_tell_routes_apart() {
    let line = "-6 route del fd09::/64 via fd00::1 protocol 18 metric 1024";
    let both = json!([{"metric": 5, "dev": "x"}, {"metric": 1024, "dev": "x"}]);
    assert_eq!(removals(line, &both), [line]);
    let hops = "-6 route del fd09::/64 protocol 18 metric 1024 nexthop via fd00::1 nexthop via fd00::2";
    assert_eq!(removals(hops, &json!([{"metric": 1024, "nexthops": []}])), [hops]);
    assert_eq!(removals(hops, &json!([{"metric": 1024, "gateway": "fd00::1"}])), [""; 0]);
}

#[test]
fn a_rule_with_more_selectors_or_at_another_place_is_another_one() {
    let line = "-4 rule del from 10.8.0.0/16 table 7 protocol 18";
    let search = Search::new(line).unwrap();
    assert_eq!(search.query, "rule show from 10.8.0.0/16 table 7");
    let found = json!([
        {"priority": 100, "src": "10.8.0.0", "srclen": 16, "iif": "ens192", "table": "7", "protocol": "keepalived"},
        {"priority": 80, "src": "10.8.0.0", "srclen": 16, "table": "7"},
        {"priority": 32765, "src": "10.8.0.0", "srclen": 16, "table": "7", "protocol": "keepalived"},
    ]);
    assert_eq!(search.removals(&found), [format!("{line} preference 32765")]);
    let placed = "-4 rule del from 10.8.0.0/16 table 7 preference 90 protocol 18";
    assert_eq!(removals(placed, &found), [""; 0]);
    assert_eq!(Search::new(placed).unwrap().query, "rule show from 10.8.0.0/16 table 7");
}

#[test]
fn rules_for_all_and_those_that_cannot_be_asked_for() {
    let all = "-4 rule del from all goto 100 preference 50 protocol 18";
    assert_eq!(Search::new(all).unwrap().query, "rule show");
    let found = json!([
        {"priority": 50, "src": "all", "goto": 100, "protocol": "keepalived"},
        {"priority": 51, "src": "10.0.0.1", "table": "main", "protocol": "keepalived"},
    ]);
    assert_eq!(removals(all, &found), [all]);
    assert_eq!(removals("-4 rule del preference 51 protocol 18", &found), [""; 0]);
    assert_eq!(removals("-4 rule del prohibit preference 50 protocol 18", &found), [""; 0]);
    let table = json!([{"priority": 9, "src": "10.0.0.1", "table": "7", "protocol": "18"}]);
    assert_eq!(removals("-4 rule del from 10.0.0.1 preference 9 protocol 18", &table), [""; 0]);
}

/// What is taken for missing is set again: a rule that the kernel places would be there twice.
#[test]
fn what_is_there_is_known() {
    let is_there = |line: &str, found: Value| Search::new(line).is_some_and(|s| s.is_there(&found));
    let route = "-4 route del 10.9.0.0/16 via 10.0.0.1 metric 5 protocol 18";
    assert!(is_there(route, json!([{"dst": "10.9.0.0/16", "metric": 5}])));
    assert!(!is_there(route, json!([{"dst": "10.9.0.0/16", "metric": 6}])));
    assert!(!is_there(route, json!([])) && !is_there(route, Value::Null), "nor its table");
    let placed = "-4 rule del from 10.8.0.0/16 preference 77 protocol 18";
    assert!(is_there(placed, json!([{"priority": 77, "protocol": "keepalived"}])));
    assert!(!is_there(placed, json!([{"priority": 78, "protocol": "keepalived"}])));
    let unplaced = "-4 rule del from 10.8.0.0/16 goto 0x10 protocol 18";
    assert!(is_there(unplaced, json!([{"priority": 5, "protocol": "18", "goto": 16}])));
    assert!(!is_there(unplaced, json!([{"priority": 5, "protocol": "static"}])));
    assert!(!is_there(unplaced, json!([])) && is_there(unplaced, Value::Null));
}
