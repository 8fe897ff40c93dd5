//! A map as one sorted list: half of what a tree of small entries takes. For what is read all the time and grows
//! rarely: a new key moves everything behind it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// New keys that are put in one by one; more are sorted in together.
const ONE_BY_ONE: usize = 8;

/// Keys ascending, and the value of each at the same place: apart, so that looking for a key reads keys only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flat<K, V> {
    keys: Vec<K>,
    values: Vec<V>,
}

impl<K, V> Default for Flat<K, V> {
    fn default() -> Self {
        Self { keys: Vec::new(), values: Vec::new() }
    }
}

impl<K: Ord + Copy, V> Flat<K, V> {
    /// The value under a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        let at = self.keys.binary_search(key).ok()?;
        self.values.get(at)
    }

    /// Entries, by key ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.keys.iter().zip(&self.values)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Puts entries in, in place of those under the same keys; of two under one key the later counts. New keys beyond
    /// `most` are left out, the highest first, and how many is the answer.
    pub(crate) fn put_all(&mut self, entries: impl IntoIterator<Item = (K, V)>, most: usize) -> usize {
        let mut new: BTreeMap<K, V> = BTreeMap::new();
        for (key, value) in entries {
            match self.keys.binary_search(&key) {
                Ok(at) => self.values[at] = value,
                Err(_) => drop(new.insert(key, value)),
            }
        }
        let room = most.saturating_sub(self.len());
        let left_out = new.len().saturating_sub(room);
        self.add(new.into_iter().take(room).collect());
        left_out
    }

    /// `new` is sorted, and none of its keys is here.
    fn add(&mut self, new: Vec<(K, V)>) {
        if self.keys.capacity() - self.len() < new.len() {
            // By an eighth, not to the double: this is here to be small.
            let more = new.len() + self.len() / 8;
            self.keys.reserve_exact(more);
            self.values.reserve_exact(more);
        }
        if new.len() > ONE_BY_ONE {
            return self.merge(new);
        }
        for (key, value) in new {
            if let Err(at) = self.keys.binary_search(&key) {
                self.keys.insert(at, key);
                self.values.insert(at, value);
            }
        }
    }

    fn merge(&mut self, new: Vec<(K, V)>) {
        let mut all: Vec<(K, V)> = self.keys.drain(..).zip(self.values.drain(..)).chain(new).collect();
        // Two sorted runs: one pass.
        all.sort_by_key(|(key, _)| *key);
        for (key, value) in all {
            self.keys.push(key);
            self.values.push(value);
        }
    }
}

impl<K: Serialize, V: Serialize> Serialize for Flat<K, V> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.keys.iter().zip(&self.values))
    }
}

impl<'de, K: Deserialize<'de> + Ord + Copy, V: Deserialize<'de>> Deserialize<'de> for Flat<K, V> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let (keys, values) = BTreeMap::<K, V>::deserialize(d)?.into_iter().unzip();
        Ok(Self { keys, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_a_tree_holds_whatever_is_put_in() {
        let (mut flat, mut tree, mut seed) = (Flat::default(), BTreeMap::new(), 1u64);
        for round in 0..60u64 {
            let batch: Vec<(u64, u64)> = (0..round % 13)
                .map(|n| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((seed >> 33) % 200, round * 100 + n)
                })
                .collect();
            assert_eq!(flat.put_all(batch.clone(), usize::MAX), 0);
            tree.extend(batch);
            assert!(flat.iter().eq(tree.iter()), "{round}");
        }
        assert!((0..200).all(|key| flat.get(&key) == tree.get(&key)));
        assert_eq!(flat.len(), tree.len());
    }

    #[test]
    fn new_keys_beyond_the_bound_are_left_out_and_old_ones_still_change() {
        let mut flat = Flat::default();
        assert_eq!(flat.put_all([(1, 'a'), (2, 'b')], 2), 0);
        assert_eq!(flat.put_all([(3, 'c'), (2, 'B'), (4, 'd')], 2), 2);
        assert_eq!(flat.iter().map(|(_, value)| *value).collect::<String>(), "aB");
    }
}
