use lvs_core::rule::Numeric;

use super::*;

/// Lines in the form of Linux 6.1.
const V4: &str = "TCP C0A80832 8C9E C0A80F6F 01BB C0A80F6D 01BB ESTABLISHED     893\n";
const V6: &str = "TCP 2001:0db8:0000:0000:0000:0000:0000:0002 8C9E 2001:0db8:0000:0000:0000:0000:0000:0001 0050 \
                  2001:0db8:0000:0000:0000:0000:0000:0003 0050 FIN_WAIT        58\n";

fn printed(line: &str) -> String {
    let mut out = String::new();
    print(&mut out, &parse(line).unwrap(), true, &Numeric).unwrap();
    out
}

#[test]
fn lines_stand_in_ipvsadms_columns() {
    assert_eq!(
        printed(V4),
        "TCP 14:53  ESTABLISHED 192.168.8.50:35998 192.168.15.111:443 192.168.15.109:443\n"
    );
    assert_eq!(
        printed(V6),
        "TCP 00:58  FIN_WAIT    [2001:db8::2]:35998 [2001:db8::1]:80   [2001:db8::3]:80\n"
    );
}

#[test]
fn a_persistence_engine_shows_its_data() {
    let line = "UDP 0A000002 13C4 0A000001 13C4 0A000003 13C4 UDP 300 sip call-1@host";
    assert_eq!(
        printed(line),
        "UDP 05:00  UDP         10.0.0.2:5060      10.0.0.1:5060      10.0.0.3:5060    sip                call-1@host\n"
    );
}
