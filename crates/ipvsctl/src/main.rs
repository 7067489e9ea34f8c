//! The command `ipvsctl`, also as `ipvsadm`, `ipvsadm-save` and `ipvsadm-restore`; everything is in the library.
#![no_main]

use std::env::ArgsOs;

lvs_core::start!(program);

fn program(args: ArgsOs) -> u8 {
    if cfg!(target_feature = "crt-static") {
        lvs_core::sys::names::ask_getent();
    }
    ipvsctl::main(args)
}
