//! Values of instances: password, interval, peers, MAC addresses.

use std::time::Duration;

use super::super::script::block;
use super::super::{At, Cx};
use super::{Draft, byte};
use crate::addr::Mac;
use crate::conf::model::{Authentication, Garp, Peer, VrrpVersion};
use crate::conf::place::Place;
use crate::conf::schema::TOP;
use crate::conf::tree::Stmt;

pub(super) fn authentication(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    let Some(stmt) = d.auth else { return };
    let keywords = block("vrrp_instance").find("authentication").and_then(|k| k.block).unwrap_or(&TOP);
    let (mut pass, mut password) = (None, None);
    for s in cx.statements(stmt, keywords) {
        match s.key {
            // A word that is none takes nothing back.
            "auth_type" => pass = cx.auth_type(s.stmt).or(pass),
            "auth_pass" => password = Cx::text(s.stmt, 1),
            other => cx.untyped(other, keywords, s.stmt),
        }
    }
    d.out.authentication = if d.out.strict.value {
        let message = format!("strict rules know no authentication: {} has none", d.out.name.value);
        let help = "remove the block, or vrrp_strict on all routers";
        cx.findings.warning("strict-auth", stmt.place(0), message).help(help);
        None
    } else {
        cx.password(d.out.version.value, stmt, pass, password)
    };
}

impl Cx<'_> {
    /// Whether it is PASS, not AH. Any other word is as if the line were not there.
    fn auth_type(&mut self, s: Stmt<'_>) -> Option<At<bool>> {
        let text = s.get(1)?;
        let known = [("PASS", true), ("AH", false)].into_iter().find(|(name, _)| *name == text);
        if known.is_none() {
            let message = format!("auth_type cannot be '{text}'; the line is skipped");
            self.findings.warning("bad-choice", s.place(1), message).help("write PASS, in capitals");
        }
        known.map(|(_, pass)| At::new(pass, s.place(1)))
    }

    fn password(
        &mut self,
        version: VrrpVersion,
        stmt: Stmt<'_>,
        pass: Option<At<bool>>,
        password: Option<At<String>>,
    ) -> Option<Authentication> {
        if version == VrrpVersion::V3 {
            let message = "version 3 has no authentication; it is left out".to_owned();
            self.findings
                .warning("v3-authentication", stmt.place(0), message)
                .help("remove the block, or write version 2");
            return None;
        }
        if let Some(At { value: false, place }) = pass {
            let message = "auth_type AH is not supported: routers that use it would not be understood; the instance is left out".to_owned();
            self.findings
                .error("auth-ah", place, message)
                .help("write auth_type PASS on all routers; AH left the standard in 2004");
            return None;
        }
        if pass.is_none() {
            // To assume PASS would make two masters: keepalived sends no password then.
            let message =
                "authentication without a valid auth_type has no effect: advertisements have no password";
            self.findings
                .warning("missing-value", stmt.place(0), message.to_owned())
                .help("write auth_type PASS on all routers at once, or remove the block");
            return None;
        }
        let Some(password) = password else {
            let message = "authentication without auth_pass has no effect".to_owned();
            self.findings
                .warning("missing-value", stmt.place(0), message)
                .help("add auth_pass PASSWORD, or remove the block");
            return None;
        };
        let mut bytes = password.value.into_bytes();
        if bytes.len() > 8 {
            let message = "auth_pass is longer than 8 characters: only the first 8 are used".to_owned();
            self.findings
                .warning("long-password", password.place, message)
                .help("the protocol's field has 8 bytes; write those 8 so that no one believes in more");
            bytes.truncate(8);
        }
        Some(Authentication { password: At::new(bytes, password.place) })
    }

    /// `advert_int`; the version decides later what fits.
    pub(super) fn advert_interval(&mut self, s: Stmt<'_>, to: &mut At<Duration>) {
        if let Some(value) = self.seconds(s, 1, Duration::from_millis(10), Duration::from_secs(255)) {
            *to = value;
        }
    }

    /// Version 2 has whole seconds, version 3 hundredths up to 40.95 s.
    pub(super) fn fit_interval(&mut self, version: VrrpVersion, at: &mut At<Duration>) {
        let fitted = match version {
            VrrpVersion::V2 => Duration::from_secs((at.as_secs_f64().round() as u64).max(1)),
            VrrpVersion::V3 => {
                Duration::from_millis(((at.as_micros() as u64 + 5_000) / 10_000 * 10).min(40_950))
            }
        };
        if fitted == at.value {
            return;
        }
        let message = format!("advert_int {} becomes {} s", at.as_secs_f64(), fitted.as_secs_f64());
        let help = match version {
            VrrpVersion::V2 => "version 2 knows whole seconds only; write a whole number, or version 3",
            VrrpVersion::V3 => "version 3 knows steps of 0.01 s up to 40.95 s",
        };
        self.findings.warning("advert-interval", at.place, message).help(help);
        at.value = fitted;
    }

    /// How often an address is announced at once; 0 is 1, as with keepalived.
    pub(in super::super) fn set_repeat(&mut self, s: Stmt<'_>, to: &mut At<u32>) {
        let Some(mut count) = self.count(s, 1, 0..=255) else { return };
        if count.value == 0 {
            let message = format!("{} 0 becomes 1", s.key());
            self.findings.warning("out-of-range", count.place, message).help("write a number from 1 to 255");
            count.value = 1;
        }
        *to = count;
    }

    /// `[all] SECONDS` of `garp_extra_if`.
    pub(in super::super) fn extra_if(&mut self, s: Stmt<'_>, to: &mut Garp) {
        let all = s.get(1) == Some("all");
        let day = Duration::from_secs(86_400);
        if let Some(value) = self.seconds(s, if all { 2 } else { 1 }, Duration::ZERO, day) {
            (to.extra_if, to.extra_all) = (value, all);
        }
    }

    /// A line of `unicast_peer`.
    pub(super) fn peer(&mut self, s: Stmt<'_>) -> Option<Peer> {
        let mut peer = Peer { addr: self.own_address(s, 0)?, min_ttl: None, max_ttl: None };
        let mut n = 1;
        while let Some(word) = s.get(n) {
            let slot = match word {
                "min_ttl" => &mut peer.min_ttl,
                "max_ttl" => &mut peer.max_ttl,
                other => {
                    let message = format!("'{other}' after a peer has no effect");
                    let help = "write one address a line, with min_ttl N and max_ttl N after it";
                    self.findings.warning("unknown-option", s.place(n), message).help(help);
                    n += 1;
                    continue;
                }
            };
            *slot = self.count(s, n + 1, 0..=255).map(|v| byte(v).value);
            n += 2;
        }
        Some(peer)
    }

    pub(super) fn mac(&mut self, text: &str, place: Place) -> Option<At<Mac>> {
        let bytes: Option<Vec<u8>> = text.split(':').map(|p| u8::from_str_radix(p, 16).ok()).collect();
        match bytes.and_then(|b| <[u8; 6]>::try_from(b).ok()) {
            Some(mac) => Some(At::new(Mac(mac), place)),
            None => {
                let message = format!("'{text}' is no MAC address; the standard one is used");
                self.findings
                    .warning("bad-address", place, message)
                    .help("write six bytes such as 02:00:00:00:00:33");
                None
            }
        }
    }
}
