//! The protocol as a whole: honest machines, lying machines, bad streams, replays, and known answers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod classes;
mod device;
mod evidence;
mod honest;
mod liars;
mod rate;
mod rig;
mod rounds;
mod streams;
mod vectors;
mod walks;
