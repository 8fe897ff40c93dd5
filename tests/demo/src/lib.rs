//! The whole story of a rental on a real chain, with real parts, told and checked.
//!
//! # Layout
//!
//! | module | what |
//! |---|---|
//! | [`seed`] | keys and choices, drawn by name from one seed |
//! | [`process`] | processes that end with the story |
//! | [`wait`] | conditions with deadlines |
//! | [`anvil`], [`standins`] | the local chain, and what it lacks of Subtensor |
//! | [`actor`] | somebody who sends transactions |
//! | [`params`], [`deploy`] | the numbers, and the deployment, through `surety-deploy` |
//! | [`chain`] | the contracts' views |
//! | [`miner`], [`renter`] | what they do |
//! | [`keepers`], [`machines`], [`chaos`] | the processes of the story, and killing them |
//! | [`audit`] | `surety audit` of what is deployed, in use |
//! | [`books`] | where every rao went |
//! | [`show`], [`story`] | how it is told; what is told |

pub mod actor;
pub mod anvil;
pub mod audit;
pub mod books;
pub mod chain;
pub mod chaos;
pub mod deploy;
pub mod keepers;
pub mod machines;
pub mod miner;
pub mod params;
pub mod process;
pub mod renter;
pub mod seed;
pub mod show;
pub mod standins;
pub mod story;
pub mod wait;
