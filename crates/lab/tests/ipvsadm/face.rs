//! Our program under ipvsadm's names.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use lvs_core::sys::clock;

use super::run::Side;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder with the links that an installation makes; it goes with this.
pub(crate) struct Ours {
    folder: PathBuf,
    program: String,
}

impl Ours {
    pub(crate) fn new() -> Self {
        // Every guest begins to count its processes anew, and a guest that was ended leaves its folder behind.
        let moment = clock::now().as_nanos();
        let name =
            format!("lvs-ipvsadm-{}-{moment}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        for name in ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"] {
            symlink(lab::bin("ipvsctl"), folder.join(name)).expect("a link");
        }
        let program = folder.join("ipvsadm").display().to_string();
        Self { folder, program }
    }

    /// The path of the link `ipvsadm`.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    pub(crate) fn side(&self) -> Side {
        Side::at(self.folder.clone())
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
