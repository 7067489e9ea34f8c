//! A keepalived.conf as the source of what to run.

use std::path::PathBuf;

use lvs_core::conf::schema::Tool;
use lvs_core::conf::{Diag, Severity, fatal};
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

    fn load(&self) -> Result<(Setup, Vec<Diag>), String> {
        let path = self.path.to_str().ok_or("the file's name is not UTF-8")?;
        let (config, findings) = conf::load(path).map_err(|e| format!("{path}: {e}"))?;
        let all = || findings.iter().map(|f| f.to_string() + "\n").collect::<String>();
        if !fatal(&findings, Tool::Vrrpd, self.running).is_empty() {
            return Err(all().trim_end().to_owned());
        }
        if config.instances.is_empty() {
            let found =
                if findings.iter().any(|f| f.severity == Severity::Error) { all() } else { String::new() };
            return Err(format!("{found}{path}: there is no sound vrrp_instance in it: nothing to do"));
        }
        Ok((spec::setup(&config), findings))
    }
}

impl Source for File {
    fn read(&mut self) -> Result<Setup, String> {
        let (setup, findings) = self.load()?;
        // A block with an error was left out; what others do is told by others.
        for finding in findings.iter().filter(|f| f.concerns(Tool::Vrrpd)) {
            // The log has lines; `vrrpd check` shows the place with a caret.
            let text = finding.to_string();
            let first = text.lines().next().unwrap_or_default().replacen(": warning: ", ": ", 1);
            match finding.severity {
                Severity::Note => log::debug!("{first}"),
                Severity::Warning => log::warn!("{first}"),
                Severity::Error => log::error!("{first}"),
            }
        }
        self.running = true;
        Ok(setup)
    }
}
