//! Help and version, as text.

use crate::face::Face;

/// What scripts look for in `ipvsadm --version`.
const IPVSADM: &str = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n";

/// The version line.
pub(crate) fn version(out: &mut String, face: Face) {
    match face {
        Face::Ipvsctl => out.push_str(concat!("ipvsctl ", env!("CARGO_PKG_VERSION"), "\n")),
        _ => out.push_str(IPVSADM),
    }
}

/// Commands and options in one screen and a half; under ipvsadm's name the version stands above it.
pub(crate) fn help(out: &mut String, face: Face) {
    if face.exact() {
        out.push_str(IPVSADM);
    }
    out.push_str(TEXT);
    if face == Face::Ipvsctl {
        out.push_str(VERBS);
    }
}

const TEXT: &str = "\
The first option says what is done; the manual is ipvsctl(8).

Services (SERVICE: -t|-u|--sctp-service ADDRESS:PORT, or -f MARK [-6])
  -A  --add-service SERVICE [-s SCHEDULER] [-p [SECONDS]] [-M MASK] [--pe ENGINE] [-b FLAGS] [-o]
  -E  --edit-service SERVICE, options as for -A
  -D  --delete-service SERVICE
  -C  --clear               delete every service
  -Z  --zero [SERVICE]      set counters to zero

Real servers (SERVER: ADDRESS[:PORT])
  -a  --add-server SERVICE -r SERVER [-g|-i|-m] [-w WEIGHT] [-x UPPER] [-y LOWER]
        [--tun-type ipip|gue|gre] [--tun-port PORT] [--tun-nocsum|--tun-csum|--tun-remcsum]
  -e  --edit-server SERVICE -r SERVER, options as for -a
  -d  --delete-server SERVICE -r SERVER

The whole table
  -L -l  --list [SERVICE] [-n] [--stats|--rate|--thresholds|--persistent-conn|--tun-info] [-X] [--nosort]
         --list -c [--persistent-conn] | --timeout | --daemon
  -S  --save [-n]           as rule lines, which -R takes
  -R  --restore             rule lines from standard input

Timeouts and connection synchronisation
  --set TCP TCPFIN UDP      seconds; 0 keeps a value
  --start-daemon master|backup [--syncid N] [--mcast-interface IF] [--mcast-group ADDRESS]
        [--mcast-port PORT] [--mcast-ttl N] [--sync-maxlen BYTES]
  --stop-daemon master|backup [--syncid N]

Values
  -s  --scheduler           rr wrr lc wlc (default) lblc lblcr dh sh sed nq fo ovf mh
  -p  --persistent          seconds a client keeps its server (default 360)
  -M  --netmask             clients that count as one: 255.255.255.0, or a prefix length for IPv6
  -b  --sched-flags         sh-fallback sh-port mh-fallback mh-port flag-1 flag-2 flag-3, with commas
  -o  --ops                 every packet is a connection of its own (UDP)
  -g  --gatewaying          direct routing (default)
  -i  --ipip                tunnel
  -m  --masquerading        NAT
  -w  --weight              share of new connections (default 1; 0: none)
  -x  --u-threshold         no new connections above so many
  -y  --l-threshold         new ones again below so many
  -n  --numeric             no names
  -X  --exact               every digit
  -6  --ipv6                the mark is on IPv6 packets; stands after -f
  -h  --help    -v  --version
";

const VERBS: &str = "
Verbs: list, apply, diff, check, completions, drain, export, metrics, top;
'ipvsctl VERB --help' says more.
";
