//! Cases as last read, and which of them are open: decided ones pile up and are of no interest.

use crate::types::CaseId;
use crate::view::CaseView;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// Cases by id; reads as the map it is.
#[derive(Clone, Debug, Default)]
pub struct Cases {
    of: BTreeMap<CaseId, CaseView>,
    open: BTreeSet<CaseId>,
}

impl Deref for Cases {
    type Target = BTreeMap<CaseId, CaseView>;

    fn deref(&self) -> &Self::Target {
        &self.of
    }
}

impl PartialEq for Cases {
    fn eq(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

impl Eq for Cases {}

impl Cases {
    /// Takes a case; says whether there was room. The oldest decided one makes it.
    pub(crate) fn put(&mut self, case: &CaseView, most: usize) -> bool {
        if !self.of.contains_key(&case.id) && self.of.len() >= most {
            let Some(gone) = self.of.values().find(|old| old.status.is_decided()).map(|old| old.id) else {
                return false;
            };
            self.of.remove(&gone);
        }
        if case.status.is_decided() {
            self.open.remove(&case.id);
        } else {
            self.open.insert(case.id);
        }
        self.of.insert(case.id, case.clone());
        true
    }

    /// Forgets all above `newest`.
    pub(crate) fn cut(&mut self, newest: CaseId) {
        self.of.retain(|id, _| *id <= newest);
        self.open.retain(|id| *id <= newest);
    }

    /// Whether the open ones are those that are not decided.
    pub(crate) fn is_derived_rightly(&self) -> bool {
        self.of.values().filter(|case| !case.status.is_decided()).map(|case| &case.id).eq(&self.open)
    }

    /// Those that something can still happen to.
    pub(crate) fn open(&self) -> impl Iterator<Item = &CaseView> {
        self.open.iter().filter_map(|id| self.of.get(id))
    }
}

impl Serialize for Cases {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.of.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Cases {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut cases = Self::default();
        for case in BTreeMap::<CaseId, CaseView>::deserialize(d)?.values() {
            cases.put(case, usize::MAX);
        }
        Ok(cases)
    }
}
