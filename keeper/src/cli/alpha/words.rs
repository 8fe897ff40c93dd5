//! Times and tables in words.

pub(super) use crate::cli::kit::words::{Table, date, span};
