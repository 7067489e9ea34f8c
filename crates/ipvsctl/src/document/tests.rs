use std::collections::BTreeSet;

use lvs_core::ipvs::Info;
use lvs_core::plan::DaemonRole;
use serde_json::Value;

use super::*;

const SCHEMA: &str = include_str!("../../schema/list.schema.json");

fn snapshot() -> Snapshot {
    let stats = Stats { connections: 1 << 40, ..Stats::default() };
    let service = |scheduler: &str, key: ServiceKey| ServiceState {
        key,
        service: Service { persistence: Some(60), ..Service::new(scheduler, key.family()) },
        stats,
    };
    let server = |addr: &str, forward| ServerState {
        endpoint: Endpoint::new(addr.parse::<IpAddr>().unwrap(), 80),
        server: Server { forward, weight: 3, upper: 9, lower: 1 },
        active: 1,
        inactive: 2,
        persistent: 3,
        stats,
    };
    let mut sh = service("sh", ServiceKey::tcp([10, 0, 0, 1], 80));
    sh.service.flags = ServiceFlags::SCHED_2.with(ServiceFlags::ONE_PACKET);
    sh.service.engine = Some("sip".into());
    let mark = ServiceKey::Mark { mark: u32::MAX, family: Family::Inet6 };
    let tunnels = [
        server("10.0.0.2", Forward::Tunnel(Tunnel::Gue { port: 9, checksum: TunnelChecksum::Remote })),
        server("10.0.0.3", Forward::Tunnel(Tunnel::Gre { checksum: TunnelChecksum::Full })),
        server("10.0.0.4", Forward::Tunnel(Tunnel::Ipip)),
        server("10.0.0.5", Forward::Route),
    ];
    Snapshot {
        info: Info { version: [1, 2, 1], connection_table_size: 4096 },
        timeouts: Timeouts { tcp: 900, tcp_fin: 120, udp: 300 },
        daemons: vec![Daemon {
            role: DaemonRole::Master,
            interface: "eth0".into(),
            sync_id: 1,
            max_len: 1472,
            group: None,
            port: 8848,
            ttl: 1,
        }],
        entries: vec![
            Entry { service: sh, servers: tunnels.into() },
            Entry { service: service("rr", mark), servers: vec![server("fd00::1", Forward::Masq)] },
        ],
    }
}

/// The words of JSON Schema that ours uses; any other fails the test, so that none is passed over.
fn validate(schema: &Value, root: &Value, value: &Value, at: &str) {
    for (word, rule) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#").unwrap();
                validate(root.pointer(name).unwrap(), root, value, at);
            }
            "type" => {
                let names: Vec<&str> = rule.as_array().map_or_else(
                    || vec![rule.as_str().unwrap()],
                    |a| a.iter().filter_map(Value::as_str).collect(),
                );
                assert!(names.iter().any(|n| is(value, n)), "{at}: {value} is no {names:?}");
            }
            "enum" => assert!(rule.as_array().unwrap().contains(value), "{at}: {value} is not in {rule}"),
            "minimum" => assert!(value.as_u64() >= rule.as_u64(), "{at}: {value} below {rule}"),
            "maximum" => assert!(value.as_u64() <= rule.as_u64(), "{at}: {value} above {rule}"),
            "minItems" => assert!(value.as_array().unwrap().len() as u64 >= rule.as_u64().unwrap(), "{at}"),
            "maxItems" => assert!(value.as_array().unwrap().len() as u64 <= rule.as_u64().unwrap(), "{at}"),
            "required" => assert!(has(value, rule), "{at}: {rule} missing"),
            "oneOf" => {
                let fit = rule.as_array().unwrap().iter().filter(|s| has(value, &s["required"])).count();
                assert_eq!(fit, 1, "{at}: {rule}");
            }
            "additionalProperties" => {
                let known: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
                let unknown = value.as_object().unwrap().keys().find(|k| !known.contains(k));
                assert_eq!(unknown, None, "{at}");
            }
            "properties" => {
                for (name, inner) in value.as_object().unwrap() {
                    validate(&rule[name], root, inner, &format!("{at}.{name}"));
                }
            }
            "items" => {
                for (i, inner) in value.as_array().unwrap().iter().enumerate() {
                    validate(rule, root, inner, &format!("{at}[{i}]"));
                }
            }
            other => panic!("the schema uses '{other}', which this test does not know"),
        }
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64(),
        other => panic!("the schema uses type '{other}'"),
    }
}

fn has(value: &Value, names: &Value) -> bool {
    names.as_array().unwrap().iter().all(|n| value.get(n.as_str().unwrap()).is_some())
}

#[test]
fn what_is_printed_follows_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let document = serde_json::to_value(View::from(&snapshot())).unwrap();
    validate(&schema, &schema, &document, "$");
    assert_eq!(document["services"][1]["mark"], u64::from(u32::MAX));
    assert_eq!(document["services"][0]["stats"]["connections"], 1u64 << 40);
}

#[test]
#[should_panic(expected = "missing")]
fn the_schema_refuses_what_lacks_a_field() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut document = serde_json::to_value(View::from(&snapshot())).unwrap();
    document["services"][0].as_object_mut().unwrap().remove("scheduler");
    validate(&schema, &schema, &document, "$");
}

#[test]
fn what_is_printed_is_read() {
    let snapshot = snapshot();
    let text = serde_json::to_string(&View::from(&snapshot)).unwrap();
    let read: Document = serde_json::from_str(&text).unwrap();
    let states = snapshot.entries.into_iter().map(|e| (e.service, e.servers));
    assert_eq!(read.table(), Ok(lvs_core::ipvs::table(states)));
}

#[test]
fn a_short_hand_written_document_is_enough() {
    let text = r#"{"services": [{"protocol": "tcp", "address": "10.0.0.1", "port": 80, "scheduler": "rr",
        "servers": [{"address": "10.0.0.2", "port": 80, "forward": "route", "weight": 1}]}]}"#;
    let table = serde_json::from_str::<Document>(text).unwrap().table().unwrap();
    assert_eq!(table.services.len(), 1);
    let shorter = r#"{"services": [{"protocol": "tcp", "address": "10.0.0.1", "port": 80,
        "servers": [{"address": "10.0.0.2"}]}, {"mark": 5}]}"#;
    let table = read(shorter).unwrap().1;
    let rules = "-A -t 10.0.0.1:80 -s wlc\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1\n-A -f 5 -s wlc\n";
    let ops = lvs_core::plan::diff(&Default::default(), &table, &lvs_core::plan::Scope::Everything);
    assert_eq!(ops.iter().map(|op| format!("{op}\n")).collect::<String>(), rules, "as rule lines have it");
    let nameless = r#"{"services": [{"scheduler": "rr", "servers": []}]}"#;
    assert!(serde_json::from_str::<Document>(nameless).unwrap().table().is_err());
}

#[test]
fn only_masquerading_has_ports_of_its_own() {
    let server = |forward: &str| {
        let text = format!(
            r#"{{"services": [{{"protocol": "tcp", "address": "10.0.0.1", "port": 443,
            "servers": [{{"address": "10.0.0.2", "port": 8080, "forward": "{forward}"}}]}}]}}"#
        );
        let table = read(&text).unwrap().1;
        table.services.values().flat_map(|e| e.servers.keys().map(|s| s.port)).collect::<Vec<_>>()
    };
    assert_eq!((server("route"), server("tunnel"), server("masq")), (vec![443], vec![443], vec![8080]));
}

#[test]
fn what_is_wrong_is_said_in_plain_words_and_with_its_line() {
    let head = r#"{"services": [
 {"protocol": "tcp", "address": "10.0.0.1", "port": 80, "servers": ["#;
    for (inside, line, text) in [
        ("\n{\"port\": 80}]}]}", 3, "'address' is missing"),
        (
            "\n{\"address\": \"10.0.0.2\", \"port\": 70000}]}]}",
            3,
            "integer '70000' stands where a number from 0 to 65535 belongs",
        ),
        (
            "\n{\"address\": \"10.0.0.2\", \"port\": \"80\"}]}]}",
            3,
            "string \"80\" stands where a number from 0 to 65535 belongs",
        ),
        ("\n\n7]}]}", 4, "integer '7' stands where an object { ... } belongs"),
        (
            "{\"address\": \"10.0.0.2\", \"wieght\": 1}]}]}",
            2,
            "unknown field 'wieght', expected one of 'address', 'port'",
        ),
        (
            "{\"address\": \"10.0.0.2\", \"forward\": \"dr\"}]}]}",
            2,
            "unknown variant 'dr', expected one of 'masq'",
        ),
        ("\n{\"address\": ", 3, "the text ends in the middle"),
        (
            "{\"address\": \"10.0.0.2\"},\n {\"address\": \"10.0.0.2\"}]}]}",
            3,
            "10.0.0.2:80 of -t 10.0.0.1:80 stands there twice",
        ),
        ("]},\n\n{\"servers\": []}]}", 4, "a service needs protocol"),
    ] {
        let fault = read(&format!("{head}{inside}")).unwrap_err();
        assert!(fault.line == line && fault.text.contains(text), "{fault:?} is not {line}: {text}");
    }
}
