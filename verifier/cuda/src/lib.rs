//! The measurement on NVIDIA cards, bit for bit what [`surety_verifier::device::CpuDevice`] computes.
//!
//! | module | what it holds |
//! |---|---|
//! | [`kernel`] | the six kernels of `kernels/surety.cu`: their names, arguments and how many threads they take |
//! | [`card`] | a thing that has memory and runs kernels |
//! | [`driver`] | NVIDIA's driver as such a thing: the only unsafe code, and the only place that knows CUDA |
//! | [`check`] | whether a card does what the reference does, and how fast |
//! | [`device`] | fill, commit, walk and open on a card, as a [`surety_verifier::device::Device`] |
//!
//! Nothing is needed to build this, and a machine needs only NVIDIA's driver: the kernels ship as PTX
//! (`kernels/*.ptx`, made from the source beside them by `scripts/ptx`), which the driver compiles for its card.
//! Without a driver, [`driver::cards`] says so.
//!
//! The tests compile the same source as C and play every thread of it on the processor (`emulated/`): what they cannot
//! show is the driver, the speed, and that PTX means what NVIDIA says it means.

pub mod card;
pub mod check;
pub mod device;
pub mod driver;
pub mod kernel;
