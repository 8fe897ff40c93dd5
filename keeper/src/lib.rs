//! The keeper service and the command line `surety`.

pub mod adapters;
