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
    assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
    for wrong in ["", "s", "-1", "0", "nan", "inf", "1e3", "0.1ms", "2h"] {
        assert!(duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_time_out_of_range_is_told_the_range() {
    for far in ["100000", "0.1ms", "2h", "0"] {
        assert_eq!(duration(far), Err("a time is 1ms to 3600s".to_owned()), "{far}");
    }
    assert!(duration("soon").unwrap_err().contains("as 2, 0.5, 2s, 500ms or 5m"));
}

#[test]
fn nobody_listens_on_port_0() {
    for args in ["check 10.0.0.1 -p 0", "probe 10.0.0.1 -d ens192 -p 0", "probe 10.0.0.1 -d ens192 -p 65536"]
    {
        let error = Cli::try_parse_from(format!("rs-prep {args}").split(' ')).unwrap_err().to_string();
        assert!(error.contains("1..=65535"), "{error}");
    }
}

#[test]
fn rights_are_asked_for_only_where_they_help() {
    assert!(hint("ip link set: EPERM", true, false).contains("run it as root"));
    assert!(!hint("ip link set: EPERM", true, true).contains("run it as root"));
    assert!(hint("ip link set: EPERM", true, true).contains("CAP_NET_ADMIN"));
    assert_eq!(hint("writing needs root", true, false), "");
    let file = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    assert!(!is_denied(&anyhow::Error::from(file).context("/etc: cannot be written")));
    let kernel = NetlinkError { errno: nix::errno::Errno::EPERM, text: None };
    assert!(is_denied(&anyhow::Error::from(kernel).context("ip address add")));
}
