use super::*;
use crate::conf::{Env, NoFiles, parse};

fn report(text: &str, format: Format, strict: bool) -> Report {
    run("f", Ok(parse("f", text.as_bytes(), &mut NoFiles, &Env::default())), format, strict)
}

const SOUND: &str =
    "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\npriority 9\nvirtual_ipaddress { 10.0.0.1 }\n}\n";

#[test]
fn warnings_stop_nobody_unless_they_are_to() {
    let unknown = format!("{SOUND}nonsense\n");
    let broken = "vrrp_instance V {\n}\n";
    assert_eq!(report(SOUND, Format::Text, false).status, 0);
    assert_eq!(report(&unknown, Format::Text, false).status, 0);
    assert_eq!(report(&unknown, Format::Text, true).status, 1);
    assert_eq!(report(SOUND, Format::Text, true).status, 0);
    assert_eq!(report(broken, Format::Text, false).status, 2);
    assert_eq!(run("f", Err("no such file".to_owned()), Format::Text, false).status, 2);
}

#[test]
fn a_clean_file_is_summed_up_in_a_line() {
    let text = report(SOUND, Format::Text, false).text;
    assert_eq!(
        text,
        "f: 0 errors, 0 warnings, 0 notes; 1 virtual router, 0 virtual servers with 0 real servers\n"
    );
}

#[test]
fn json_is_one_object_a_finding() {
    let text = report("nonsense\n\"x\n", Format::Json, false).text;
    let rows: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!((&rows[0]["severity"], &rows[0]["code"]), (&"warning".into(), &"unknown-keyword".into()));
    assert_eq!((&rows[0]["file"], &rows[0]["line"], &rows[0]["column"]), (&"f".into(), &1.into(), &1.into()));
}
