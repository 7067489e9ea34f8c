# Builds the four commands and the lab.
build:
    cargo build --workspace --bins

# Runs every check and every test.
test:
    ./scripts/test

# Format, clippy, layers, shell scripts, man pages.
check:
    ./scripts/test lint

# Runs the tests that need IPVS on a real kernel, or one: just lab cluster NAME.
lab file="" name="":
    {{ if file == "" { "./scripts/test lab" } else { "cargo test -p lab --test " + file + " " + name } }}

# Shows the seed's cluster live; just demo --peer shows keepalived's.
demo *options:
    ./scripts/demo {{options}}

# Measures against the originals: just bench [--qemu] [cluster|ipvsctl|vrrpd|tcpcheck|rs-prep|conf].
bench *parts:
    ./scripts/bench {{parts}}

# Installs the commands, man pages and units: just install --prefix /usr/local.
install *options:
    ./scripts/install {{options}}

# Looks for bytes that break a reader: just fuzz [TARGET|all] [SECONDS].
fuzz *what:
    ./scripts/fuzz {{what}}

# Shows a man page from the sources: just man vrrpd.8.
man page:
    man ./man/{{page}}
