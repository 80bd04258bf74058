//! What a transaction or snapshot borrows from its slab's pool.

use super::agent::Agent;
use super::contention::Contention;
use super::retire::Plan;
use crate::slab::writer::Uncommitted;

/// Atoms by name, with their words; None: not there.
pub type Atoms = Vec<(u64, Option<u64>)>;

/// An agent with the scratch memory of its transactions, kept from one to the next.
pub struct Worker {
    /// The agent.
    pub agent: Agent,
    /// Races that it has lost lately.
    pub(crate) contention: Contention,
    /// Memory of the commit's plan.
    pub(crate) plan: Option<Box<Plan>>,
    /// Memory of the list of uncommitted objects.
    pub(crate) uncommitted: Uncommitted,
    /// Memory of the atoms seen.
    pub(crate) seen: Atoms,
    /// Memory of the atoms written.
    pub(crate) writes: Atoms,
}

impl Worker {
    /// A worker on a newly claimed agent.
    pub fn new(agent: Agent) -> Worker {
        Worker {
            contention: Contention::new(agent.index),
            agent,
            plan: None,
            uncommitted: Uncommitted::default(),
            seen: Atoms::new(),
            writes: Atoms::new(),
        }
    }
}
