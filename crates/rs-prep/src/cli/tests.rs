use clap::CommandFactory;

use super::*;

#[test]
fn the_man_page_tells_of_every_option() {
    let page = include_str!("../../../../man/rs-prep.8");
    let command = Cli::command();
    let verbs = command.get_subcommands();
    for verb in verbs {
        let name = verb.get_name();
        assert!(page.contains(&format!(".Cm {name}\n")), "{name}");
        for option in verb.get_opts().chain(command.get_opts()).filter_map(clap::Arg::get_long) {
            assert!(page.contains(&format!("-{option}")), "{name} --{option}");
        }
    }
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn times_have_an_optional_unit() {
    assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
    assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
    assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
    for wrong in ["", "s", "-1", "0", "nan", "inf", "1e9", "2m", "0.1ms"] {
        assert!(duration(wrong).is_err(), "{wrong}");
    }
}
