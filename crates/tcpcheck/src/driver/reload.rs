//! SIGHUP: the file is taken anew, and what that changes is said.

use lvs_core::sys::{clock, memory};

use super::Driver;
use crate::differences::{differences, in_short};
use crate::roster::all_vips;
use crate::watch;

impl Driver {
    /// Takes the file anew; one with errors changes nothing.
    pub(super) fn reload(&mut self) {
        let (mut config, findings) = match watch::read(&self.args.config, false) {
            Ok(read) => read,
            Err(text) => {
                text.lines().for_each(|line| log::error!("{line}"));
                log::error!("the old configuration stays in force");
                return;
            }
        };
        let now = clock::now();
        self.systemd.reloading(now);
        watch::warn(&findings, &config, self.monitor.options());
        let programs = watch::programs(&mut config);
        let news = differences(&self.monitor, &config);
        // The log has it among the differences. The programs are those of the old file, which knows what leaves.
        self.monitor.farewell(&config).iter().for_each(|change| self.tell_others(change, now));
        self.run_programs(programs);
        self.seed = self.seed.wrapping_add(now.as_nanos());
        let orders = self.monitor.reload(config, self.seed, now);
        self.engine.avoid(all_vips(self.monitor.config()));
        self.read_drains();
        self.open_ways();
        self.obey(orders);
        self.watch_links(now);
        self.set_timeouts();
        self.flush(now);
        self.save();
        memory::trim();
        memory::let_go_of_program();
        in_short(news).for_each(|line| log::info!("{line}"));
        log::info!("{} taken anew", self.args.config);
        self.systemd.ready();
        self.tell_systemd();
    }

    /// Takes the list of drained servers anew, if there is one.
    fn read_drains(&mut self) {
        let Some(path) = &self.args.drain_file else { return };
        match watch::drain_file(path, self.monitor.config()) {
            Ok((drains, said)) => {
                said.iter().for_each(|(level, text)| log::log!(*level, "{text}"));
                self.monitor.drain(drains);
            }
            Err(why) => log::error!("{why}; the drained servers stay as they are"),
        }
    }

    /// Says which services go at the start, because they left the file while nobody watched.
    pub(super) fn tell_leaving(&self) {
        if self.kernel.is_some() {
            let lines = self.monitor.leaving().map(|key| format!("{key}: no longer in the file, removed"));
            in_short(lines.collect()).for_each(|line| log::info!("{line}"));
        }
    }
}
