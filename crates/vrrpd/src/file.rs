//! A keepalived.conf as the source of what to run.

use std::path::PathBuf;

use lvs_core::conf::schema::Tool;
use lvs_core::conf::{Diag, Severity};
use lvs_core::sys::conf;

use crate::driver::Source;
use crate::spec::{self, Setup};

/// The configuration file; it is read anew on every reload.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
}

impl File {
    /// The file at this path.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn load(&self) -> Result<(Setup, Vec<Diag>), String> {
        let path = self.path.to_str().ok_or("the file's name is not UTF-8")?;
        let (config, findings) = conf::load(path).map_err(|e| format!("{path}: {e}"))?;
        if findings.iter().any(|f| f.severity == Severity::Error) {
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            return Err(lines.join("\n"));
        }
        if config.instances.is_empty() {
            return Err(format!("{path}: there is no vrrp_instance in it: nothing to do"));
        }
        Ok((spec::setup(&config), findings))
    }
}

impl Source for File {
    fn read(&mut self) -> Result<Setup, String> {
        let (setup, findings) = self.load()?;
        // An error in any block was one of the file; what others do is told by others.
        for finding in findings.iter().filter(|f| f.concerns(Tool::Vrrpd)) {
            // The log has lines; `vrrpd check` shows the place with a caret.
            let text = finding.to_string();
            let first = text.lines().next().unwrap_or_default().replacen(": warning: ", ": ", 1);
            match finding.severity {
                Severity::Note => log::debug!("{first}"),
                Severity::Warning | Severity::Error => log::warn!("{first}"),
            }
        }
        Ok(setup)
    }
}
