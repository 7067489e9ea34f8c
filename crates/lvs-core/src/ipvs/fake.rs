//! A table in memory that answers as the kernel does, for tests of what stands on [`Ipvs`].

use super::{Ipvs, IpvsError};
use crate::plan::{Op, step};
use crate::table::Table;

/// The numbers of the refusals that the model knows.
const ESRCH: i32 = 3;
const ENOENT: i32 = 2;
const EEXIST: i32 = 17;

/// An IPVS without a kernel.
#[derive(Clone, Debug, Default)]
pub struct Fake {
    /// What it holds.
    pub table: Table,
    /// Every operation that was asked for, in order.
    pub log: Vec<Op>,
}

impl Fake {
    /// A fake that holds `table`.
    pub fn new(table: Table) -> Self {
        Self { table, log: Vec::new() }
    }

    fn refusal(&self, op: &Op) -> i32 {
        match op {
            Op::AddService(..) => EEXIST,
            Op::AddServer(key, ..) if self.table.services.contains_key(key) => EEXIST,
            Op::EditServer(key, ..) | Op::DelServer(key, _) if self.table.services.contains_key(key) => {
                ENOENT
            }
            _ => ESRCH,
        }
    }
}

impl Ipvs for Fake {
    fn read(&mut self) -> Result<Table, IpvsError> {
        Ok(self.table.clone())
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), IpvsError>> {
        self.log.extend_from_slice(ops);
        ops.iter()
            .map(
                |op| {
                    if step(&mut self.table, op) { Ok(()) } else { Err(IpvsError::of(op, self.refusal(op))) }
                },
            )
            .collect()
    }
}
