//! The life of a tenant's container: made, kept, adopted, unmade, whatever the engine does and whenever the agent dies.
#![allow(clippy::unwrap_used)]

mod crash;
mod engines;
mod lifecycle;
mod real;
mod rig;
