//! A naive judge: from a keeper's whole history of inputs, what it may have signed.

use crate::check::Check;
use surety_core::effect::Effect;
use surety_core::input::Input;

/// Everything one keeper committed.
#[derive(Debug, Default)]
pub(crate) struct History {}

impl History {
    pub(crate) fn note(&mut self, _input: &Input, _effects: &[Effect]) {}

    pub(crate) fn judge(&self, _check: &mut Check, _index: usize) {}
}
