use super::*;

#[test]
fn the_form_is_told_by_the_first_words() {
    assert_eq!(form("# rules\n\n-A -t 10.0.0.1:80\n"), Form::Rules);
    assert_eq!(form("ipvsadm -A -t 10.0.0.1:80\n"), Form::Rules);
    assert_eq!(form(" {\"services\": []}"), Form::Json);
    assert_eq!(form("! my cluster\nvrrp_instance VI_1 {\n}\n"), Form::Keepalived);
    assert_eq!(form(""), Form::Rules);
    assert_eq!(form("[1, 2]"), Form::Json);
}

#[test]
fn rule_lines_make_a_table() {
    let text =
        "# web\n-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.2 -g -w 3 -x 9\n\nipvsadm -A -f 5\n";
    let table = rules::table(text).unwrap();
    assert_eq!(table.services.len(), 2);
    let printed: Vec<String> =
        lvs_core::plan::diff(&Table::default(), &table, &lvs_core::plan::Scope::Everything)
            .iter()
            .map(ToString::to_string)
            .collect();
    assert_eq!(
        printed,
        ["-A -t 10.0.0.1:80 -s rr", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 3 -x 9", "-A -f 5 -s wlc"]
    );
}

#[test]
fn every_wrong_line_is_named() {
    let text =
        "-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n-Ln\n-A -t bad\n--set 1 2 3\n-a -t 10.0.0.9:80 -r 10.0.0.2\n";
    let lines: Vec<usize> = rules::table(text).unwrap_err().iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
}

#[test]
fn a_line_that_does_not_fit_says_what_is_missing() {
    let why = |text: &str| rules::table(text).unwrap_err().remove(0).1;
    assert_eq!(
        why("-a -t 10.0.0.9:80 -r 10.0.0.2\n"),
        "no line before it adds the service -t 10.0.0.9:80 (-A -t 10.0.0.9:80)"
    );
    assert!(why("-A -f 5\n-A -f 5\n").contains("adds the service -f 5 already"));
    assert!(why("-A -f 5\n-d -f 5 -r 10.0.0.2\n").contains("adds the real server 10.0.0.2:0 of -f 5"));
    let twice = "-a -f 5 -r 10.0.0.2\n";
    assert!(why(&format!("-A -f 5\n{twice}{twice}")).contains("real server 10.0.0.2:0 of -f 5 already"));
}

/// What reading this text for a purpose says; the table if nothing.
fn read_for(text: &str, prune: bool, allow_empty: bool) -> Result<Table, String> {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("ipvsctl-source-{}-{number}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let read = table(path.to_str().unwrap(), Purpose { prune, allow_empty });
    std::fs::remove_file(&path).unwrap();
    read.map_err(|e| {
        assert_eq!(e.status(), 2, "{e}");
        e.to_string()
    })
}

const SERVICE: &str = "virtual_server 10.0.0.1 80 {\n protocol TCP\n real_server 10.0.0.2 80 {\n }\n}\n";

#[test]
fn a_file_of_which_nothing_is_understood_is_refused_with_what_it_looks_like() {
    for (text, hint) in [
        ("root:x:0:0:root:/root:/bin/bash\nbin:x\n", "begins with 'root:x:0:0"),
        ("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port\n", "ipvsadm-save -n"),
        ("/sbin/ipvsadm -A -t 10.0.0.1:80\n", "begins with its option"),
        ("; comment\n-A -t 10.0.0.1:80\n", "begins with '; comment'"),
        ("include /nosuch/*.conf\n", "line 1: include /nosuch/*.conf: no such file"),
        ("virtual_servre 10.0.0.1 80 {\n}\n", "line 1: did you mean 'virtual_server'?"),
    ] {
        for prune in [false, true] {
            let text = read_for(text, prune, true).unwrap_err();
            assert!(text.contains("nothing of it is understood") && text.contains(hint), "{text}");
        }
    }
    assert!(read_for("[1, 2]", false, false).is_err());
}

#[test]
fn a_byte_order_mark_is_passed_over_in_every_form() {
    let json = r#"{"services":[{"protocol":"tcp","address":"10.0.0.1","port":80,"scheduler":"wlc","servers":[{"address":"10.0.0.2","port":80,"forward":"masq","weight":1}]}]}"#;
    let tables: Vec<Table> = [json, "-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2 -m\n", SERVICE]
        .iter()
        .map(|text| read_for(&format!("\u{feff}{text}"), true, false).unwrap())
        .collect();
    assert!(tables.iter().all(|t| *t == tables[0]), "{tables:?}");
}

#[test]
fn with_prune_nothing_is_passed_over() {
    for (extra, why) in [
        ("virtual_servre 10.0.0.3 80 {\n}\n", "did you mean 'virtual_server'?"),
        ("include /nosuch/x.conf\n", "no such file"),
        ("include /nosuch/*.conf\n", "no such file"),
        ("bogus\n", "unknown keyword 'bogus'"),
        ("}\n", "closes nothing"),
        ("{\n protocol TCP\n}\n", "belongs to nothing"),
    ] {
        let text = format!("{SERVICE}{extra}");
        let refused = read_for(&text, true, true).unwrap_err();
        assert!(refused.contains(why), "{extra}: {refused}");
        assert_eq!(
            read_for(&text, false, false).is_ok(),
            extra != "}\n",
            "{extra}: a warning without --prune"
        );
    }
    assert!(read_for(&format!("{SERVICE}global_defs {{\n bogus\n}}\n"), true, false).is_ok());
}

#[test]
fn with_prune_an_empty_wish_must_be_said() {
    for text in ["", "# nothing\n", "{\"services\": []}", "global_defs {\n router_id x\n}\n"] {
        let refused = read_for(text, true, false).unwrap_err();
        assert!(refused.contains("--allow-empty"), "{text}: {refused}");
        assert_eq!(read_for(text, true, true), Ok(Table::default()));
        assert_eq!(read_for(text, false, false), Ok(Table::default()));
    }
}
