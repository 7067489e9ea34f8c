//! Schedulers and persistence engines by name.

use lvs_core::conf::Severity;
use lvs_core::table::{ENGINES, LONGEST_NAME, SCHEDULERS, Service, ServiceKey};
use lvs_core::text::nearest;

use super::Judge;

impl Judge<'_> {
    /// Any name may be a module of a kernel that we do not know.
    pub(super) fn known(&mut self, key: ServiceKey, s: &Service) {
        self.name(key, ("scheduler", "unknown-scheduler", "ip_vs_"), &s.scheduler, &SCHEDULERS);
        if let Some(engine) = &s.engine {
            self.name(key, ("persistence engine", "unknown-engine", "ip_vs_pe_"), engine, &ENGINES);
        }
    }

    fn name(
        &mut self,
        key: ServiceKey,
        (kind, code, module): (&str, &'static str, &str),
        name: &str,
        known: &[&str],
    ) {
        if known.contains(&name) {
            return;
        }
        let near = nearest(name, known.iter().copied());
        let help = near
            .map_or_else(|| format!("write one of {}", known.join(", ")), |n| format!("did you mean '{n}'?"));
        if name.len() > LONGEST_NAME {
            let text = format!(
                "the name of {kind} '{name}' is too long: the kernel takes {LONGEST_NAME} characters"
            );
            self.add(Severity::Error, code, key, None, &text, &help);
        } else {
            let text = format!(
                "{kind} '{name}' is unknown here; the kernel refuses it unless it has a module {module}{name}"
            );
            self.add(Severity::Warning, code, key, None, &text, &help);
        }
    }
}
