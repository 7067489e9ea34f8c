use super::*;

fn one(args: &str) -> Result<Setup, String> {
    let args = ["vrrpd"].into_iter().chain(args.split_whitespace());
    let cli = Cli::try_parse_from(args).map_err(|e| e.to_string())?;
    cli.run.one.setup()
}

#[test]
fn the_command_line_is_a_configuration_of_one_router() {
    let setup =
        one("--interface ens192 --vrid 51 --priority 150 --vip 192.168.15.111/32 --password your_password")
            .unwrap();
    let spec = &setup.instances[0];
    assert_eq!((spec.vrid, spec.params.priority, spec.params.version), (51, 150, Version::V2));
    assert_eq!(spec.door.auth, Auth::Pass(*b"your_pas"));
    assert_eq!(spec.vips, [Vip::plain("ens192", "192.168.15.111".parse().unwrap())]);
    let six = one("--interface e0 --vrid 1 --vip fe80::1 --interval 100ms").unwrap();
    assert_eq!(six.instances[0].params.version, Version::V3);
    assert_eq!(six.instances[0].group, "ff02::12".parse::<IpAddr>().unwrap());
}

#[test]
fn what_cannot_be_is_refused_with_the_way_to_write_it() {
    for (args, word) in [
        ("--interface e0 --vrid 1 --vip 10.0.0.1/24", "10.0.0.1/32"),
        ("--interface e0 --vrid 0 --vip 10.0.0.1", "1..=255"),
        ("--interface e0 --vrid 1", "--vip"),
        ("--interface e0 --vrid 1 --vip 10.0.0.1 --interval 0.5", "--v3"),
        ("--interface e0 --vrid 1 --vip 10.0.0.1 --interval 0", "10 ms"),
        ("--interface e0 --vrid 1 --vip 10.0.0.1 --interval 1m", "40.95 s"),
        ("--interface e0 --vrid 1 --vip 10.0.0.1 --interval 1e3", "is not a duration"),
        ("--interface e0 --vrid 1 --vip 10.0.0.1 --config x", "cannot be used with"),
        ("--interface e0 --vrid 1 --vip 10.0.0.1 --v3 --password x", "version 3 has none"),
        ("--interface e0 --vrid 1 --vip 2001:db8::1/128 --password x", "IPv6 is always version 3"),
        ("", "--config"),
    ] {
        let error = one(args).unwrap_err();
        assert!(error.contains(word), "{args}: {error}");
    }
}

#[test]
fn the_options_are_consistent() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
}
