//! Both doors, with real SSH clients: who is let in, what they get, and what is left when they must go.
#![allow(clippy::unwrap_used)]

mod container;
mod embedded;
#[path = "../isolation/engines.rs"]
mod engines;
mod gauge;
mod openssh;
mod program;
mod rig;
mod rounds;
mod shipped;
