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
