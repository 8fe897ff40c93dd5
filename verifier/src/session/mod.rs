//! The two state machines. Neither reads a clock or a socket: frames and milliseconds go in, frames come out.

mod challenge;
mod keeper;
mod plan;
mod prover;
mod signed;
#[cfg(test)]
mod tests;

pub use challenge::{Challenge, Limits, SetupError};
pub use keeper::{KeeperSession, Next, Outcome, SessionError};
pub use plan::Plan;
pub use prover::{Caps, Claims, ProverError, ProverSession};
