//! One run of the program: its face, the kernel, standard output.

use std::mem::ManuallyDrop;

use lvs_core::ipvs::{Info, IpvsError};
use lvs_core::rule::Refusal;
use lvs_core::sys::ipvs::Client;

use crate::face::Face;
use crate::out::{Out, complain};

/// No IPVS, no rights, or a command line that is wrong.
pub(crate) const USAGE: u8 = 2;
/// The kernel said no, or ipvsadm's option parser gave up.
pub(crate) const REFUSED: u8 = 255;
/// The service that should be listed is not there.
pub(crate) const MISSING: u8 = 1;

/// What ends a command: an exit status, and what to say about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: u8,
    pub(crate) text: String,
    /// Whether ipvsadm's `-R` ends here.
    pub(crate) ends_restore: bool,
}

impl Failure {
    pub(crate) fn new(status: u8, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), ends_restore: true }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, text: refusal.text, ends_restore: refusal.ends_restore }
    }
}

/// A kernel that cannot be read.
impl From<IpvsError> for Failure {
    fn from(e: IpvsError) -> Self {
        Self::new(MISSING, e.text)
    }
}

/// One run of the program.
pub(crate) struct Session {
    pub(crate) face: Face,
    pub(crate) client: Client,
    pub(crate) info: Info,
    pub(crate) out: Out,
}

impl Session {
    /// Opens the kernel's IPVS; as ipvsadm does, before anything else.
    pub(crate) fn open(face: Face) -> Result<Self, Failure> {
        let mut client = Client::open().map_err(|e| Failure::new(USAGE, e.to_string()))?;
        let info = client.info().map_err(|e| Failure::new(USAGE, e.text))?;
        Ok(Self { face, client, info, out: Out::new() })
    }

    /// The exit status of a finished run, after its output is written.
    ///
    /// The process ends next, and gives its memory back at once rather than piece by piece.
    pub(crate) fn finish(self, result: Result<u8, Failure>) -> u8 {
        let mut it = ManuallyDrop::new(self);
        let written = it.out.finish();
        let status = match result {
            Ok(status) => status,
            Err(failure) => {
                complain(it.face.name(), &failure.text);
                failure.status
            }
        };
        match written {
            Ok(()) => status,
            Err(e) => {
                complain(it.face.name(), &format!("standard output: {e}"));
                MISSING
            }
        }
    }
}
