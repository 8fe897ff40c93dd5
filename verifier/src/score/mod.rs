//! What measured figures are worth: pure functions, integers only. Nothing here pays anybody; setting weights does.

pub mod classes;
pub mod sn27;
