//! What is read when, and what happens when a node answers oddly.
#![allow(clippy::unwrap_used)]

mod fake;
mod fleet;
mod follower;
mod history;
mod majority;
mod market;
mod odd;
mod slices;
mod suspects;
mod touched;
pub(crate) mod world;
