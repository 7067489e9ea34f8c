use super::*;
use crate::addr::Family;
use crate::connection::parse;
use crate::table::{Server, Service, ServiceEntry};

fn table(key: ServiceKey, server: &str, forward: Forward) -> Table {
    let mut entry = ServiceEntry::new(Service::new("rr", key.family()));
    entry.servers.insert(server.parse().unwrap(), Server::new(forward, 1));
    Table { services: [(key, entry)].into() }
}

fn web(forward: Forward) -> Servers {
    let vip: Endpoint = "10.0.0.200:80".parse().unwrap();
    Servers::new(&table(ServiceKey::tcp(vip.addr, vip.port), "10.0.0.11:80", forward))
}

fn messages(id: u8, records: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut packer = Packer::new(id);
    let mut all: Vec<_> = records.into_iter().filter_map(|r| packer.push(&r)).collect();
    all.extend(packer.finish());
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn a_connection_is_told_as_the_kernel_tells_it() {
    let c = parse("TCP 0A000001 E5F2 0A0000C8 0050 0A00000B 0050 ESTABLISHED     899").unwrap();
    let record = record(&c, &web(Forward::Route)).unwrap();
    let want = "00060024 00000003 0001 e5f2 0050 0050 00000000 00000383 0a000001 0a0000c8 0a00000b";
    assert_eq!(hex(&record), want.replace(' ', ""));
    let message = messages(51, [record.clone(), record]);
    assert_eq!(message.len(), 1);
    assert_eq!(hex(&message[0][..8]), "0033005002010000");
}

#[test]
fn handshakes_and_ends_count_as_inactive() {
    for (state, number) in [("SYN_RECV", 3), ("FIN_WAIT", 4), ("LAST_ACK", 8)] {
        let line = format!("TCP 0A000001 E5F2 0A0000C8 0050 0A00000B 0050 {state}  59");
        let record = record(&parse(&line).unwrap(), &web(Forward::Masq)).unwrap();
        assert_eq!(hex(&record[4..10]), format!("00000100{number:04x}"));
    }
}

#[test]
fn persistence_and_firewall_marks_go_along() {
    let key = ServiceKey::Mark { mark: 7, family: Family::Inet };
    let servers = Servers::new(&table(key, "10.0.0.11:0", Forward::Route));
    let template = parse("IP  0A000001 0000 00000007 0000 0A00000B 0000 NONE        300").unwrap();
    let told = record(&template, &servers).unwrap();
    assert_eq!(hex(&told[..24]), "0000002400001003000000000000000000000007".to_owned() + "0000012c");
    let connection = parse("TCP 0A000001 E5F2 0A0000C8 0050 0A00000B 0050 ESTABLISHED 899").unwrap();
    assert_eq!(hex(&record(&connection, &servers).unwrap()[16..20]), "00000007");
}

#[test]
fn a_template_keeps_its_own_mark_among_those_of_its_server() {
    let mut both = table(ServiceKey::Mark { mark: 7, family: Family::Inet }, "10.0.0.11:0", Forward::Route);
    both.services.extend(
        table(ServiceKey::Mark { mark: 8, family: Family::Inet }, "10.0.0.11:0", Forward::Route).services,
    );
    let servers = Servers::new(&both);
    for mark in [7_u32, 8] {
        let line = format!("IP  0A000001 0000 {mark:08X} 0000 0A00000B 0000 NONE 300");
        let told = record(&parse(&line).unwrap(), &servers).unwrap();
        assert_eq!(told[16..20], mark.to_be_bytes());
    }
}

#[test]
fn what_a_successor_cannot_use_is_not_told() {
    let tell = |line: &str, forward| record(&parse(line).unwrap(), &web(forward));
    let line = "TCP 0A000001 E5F2 0A0000C8 0050 0A00000B 0050 ESTABLISHED 899";
    assert!(tell(line, Forward::Local).is_none());
    assert!(tell(&line.replace("0A00000B", "0A00000C"), Forward::Route).is_none());
    assert!(tell(&line.replace("ESTABLISHED", "TIME_WAIT"), Forward::Route).is_none());
    assert!(tell(&line.replace("TCP", "SCTP"), Forward::Route).is_none());
    assert!(tell(&format!("{line} sip call-1"), Forward::Route).is_none());
}

#[test]
fn ipv6_records_are_longer_and_no_message_is_too_long() {
    let key = ServiceKey::tcp("2001:db8::1".parse::<IpAddr>().unwrap(), 80);
    let servers = Servers::new(&table(key, "[2001:db8::3]:80", Forward::Route));
    let line = "TCP 2001:0db8:0000:0000:0000:0000:0000:0002 8C9E 2001:0db8:0000:0000:0000:0000:0000:0001 0050 \
                2001:0db8:0000:0000:0000:0000:0000:0003 0050 FIN_WAIT 58";
    let record = record(&parse(line).unwrap(), &servers).unwrap();
    assert_eq!((record.len(), hex(&record[..4])), (72, "01060048".to_owned()));
    let all = messages(1, std::iter::repeat_n(record, 1000));
    assert!(all.iter().all(|m| m.len() <= LARGEST));
    assert_eq!(all.iter().map(|m| usize::from(m[4])).sum::<usize>(), 1000);
}
