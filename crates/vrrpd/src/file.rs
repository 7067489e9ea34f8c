//! A keepalived.conf as the source of what to run.

use std::path::PathBuf;

use lvs_core::conf::model::LeftOut;
use lvs_core::conf::schema::{TOP, Tool};
use lvs_core::conf::{Diag, Severity};
use lvs_core::sys::conf;

use crate::driver::Source;
use crate::spec::{self, Setup};

/// The configuration file; it is read anew on every reload.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    /// It was read and is in force: from now on an error leaves it so.
    running: bool,
}

impl File {
    /// The file at this path.
    pub fn new(path: PathBuf) -> Self {
        Self { path, running: false }
    }

    fn load(&self) -> Result<(Setup, Vec<Diag>, Vec<LeftOut>), String> {
        let path = self.path.to_str().ok_or("the file's name is not UTF-8")?;
        let (config, findings) = conf::load(path).map_err(|e| format!("{path}: {e}"))?;
        // Without a single sound instance there is nothing to begin with.
        let begin = !self.running && !config.instances.is_empty();
        if findings.iter().any(|f| f.stops(Tool::Vrrpd, begin)) {
            let ours = findings.iter().filter(|f| f.concerns(Tool::Vrrpd));
            let lines: Vec<String> = ours.map(ToString::to_string).collect();
            return Err(lines.join("\n"));
        }
        if config.instances.is_empty() {
            return Err(format!("{path}: there is no vrrp_instance in it: nothing to do"));
        }
        let ours = |l: &LeftOut| TOP.find(l.block).is_some_and(|k| k.status.is_used_by(Tool::Vrrpd));
        let left_out = config.left_out.iter().filter(|l| ours(l)).cloned().collect();
        Ok((spec::setup(&config), findings, left_out))
    }
}

impl Source for File {
    fn read(&mut self) -> Result<Setup, String> {
        let (setup, findings, left_out) = self.load()?;
        // What is wrong with the blocks of others is told by others.
        for finding in findings.iter().filter(|f| f.concerns(Tool::Vrrpd)) {
            // The log has lines; `vrrpd check` shows the place with a caret.
            let first = finding.headline();
            match finding.severity {
                Severity::Note => log::debug!("{first}"),
                Severity::Warning => log::warn!("{first}"),
                Severity::Error => log::error!("{first}"),
            }
        }
        for left in &left_out {
            log::error!("started without {left}");
        }
        self.running = true;
        Ok(setup)
    }
}
