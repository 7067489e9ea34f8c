use super::*;

#[test]
fn a_keyword_says_how_many_words_it_takes() {
    let words = |block: &'static Block, name: &str| block.find(name).map(Keyword::words);
    assert_eq!(words(&TOP, "vrrp_instance"), Some((1, 1)));
    assert_eq!(words(&TOP, "virtual_server"), Some((1, 2)));
    assert_eq!(words(&global::GLOBAL, "script_user"), Some((1, 2)));
    assert_eq!(words(&global::GLOBAL, "notify_fifo"), Some((1, 3)));
    assert_eq!(words(&vrrp::INSTANCE, "notify"), Some((1, usize::MAX)));
    assert_eq!(words(&vrrp::INSTANCE, "nopreempt"), Some((0, 0)));
}

#[test]
fn no_block_knows_a_keyword_twice() {
    blocks(&mut |path, block| {
        let mut names: Vec<&str> = block.iter().map(|k| k.name).collect();
        names.sort_unstable();
        let total = names.len();
        names.dedup();
        assert_eq!(names.len(), total, "{path:?}");
    });
}

#[test]
fn old_names_lead_to_keywords_of_their_block() {
    blocks(&mut |path, block| {
        for k in block.iter() {
            if let Status::Old(of) = k.status {
                assert!(block.find(of).is_some(), "{path:?}: {} -> {of}", k.name);
            }
        }
    });
}

#[test]
fn every_keyword_that_is_used_has_a_reader() {
    // Reading asserts that no used keyword falls through to nobody.
    let mut read = 0;
    blocks(&mut |path, block| {
        for k in block.iter().filter(|k| matches!(k.status, Status::Used(_))) {
            let braces = if k.block.is_some() { "{ }" } else { "" };
            let line = format!("{} {} {braces}\n", k.name, "1 ".repeat(k.words().0));
            let open: String = path.iter().map(|name| format!("{name} {}{{\n", arguments(name))).collect();
            let text = format!("{open}{line}{}", "}\n".repeat(path.len()));
            let (_, findings) = crate::conf::parse(
                "f",
                text.as_bytes(),
                &mut crate::conf::NoFiles,
                &crate::conf::Env::default(),
            );
            assert!(findings.iter().all(|d| d.code != "unknown-keyword"), "{text}{findings:?}");
            read += 1;
        }
    });
    assert!(read > 250, "{read}");
}

/// What makes a block's own line sound.
fn arguments(name: &str) -> &'static str {
    match name {
        "virtual_server" | "real_server" => "10.0.0.1 80 ",
        _ if TOP.find(name).is_some_and(|k| k.words().0 == 1) => "x ",
        _ => "",
    }
}

#[test]
fn the_man_page_is_made_from_the_table() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../man/lvs-keepalived.conf.5");
    if std::env::var_os("LVS_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == page(),
        "man/lvs-keepalived.conf.5 is old: LVS_UPDATE_GOLDEN=1 cargo test -p lvs-core writes it"
    );
}
