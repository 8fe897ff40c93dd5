//! Tests of the core as its users see it: scripts with golden output, properties over arbitrary input, and the holes
//! of other systems that must be impossible here.
#![allow(clippy::unwrap_used)]

mod chain;
mod holes;
mod odd_views;
mod properties;
mod scenarios;
mod script;
mod seats;
mod sim;
mod weights;
