//! Machines as last read, kept small: most of them are quiet, and a keeper knows all.

use crate::flat::Flat;
use crate::types::{Account, Endpoint, MachineId, Rao, RentalId};
use crate::view::{NodeView, OfferView};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Machines by identity. What is read is a [`NodeView`] by value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Nodes {
    of: Flat<MachineId, Node>,
}

/// A [`NodeView`] without its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Node {
    miner: Account,
    registration: u32,
    endpoint: Option<Endpoint>,
    free_rao: Rao,
    reserved_rao: Rao,
    held_rao: Rao,
    exiting_rao: Rao,
    offer: Option<OfferView>,
    last_rental: RentalId,
}

impl Node {
    fn of(view: &NodeView) -> Self {
        let NodeView { miner, registration, endpoint, offer, last_rental, .. } = *view;
        let NodeView { free_rao, reserved_rao, held_rao, exiting_rao, .. } = *view;
        Self { miner, registration, endpoint, free_rao, reserved_rao, held_rao, exiting_rao, offer, last_rental }
    }

    fn view(&self, machine: MachineId) -> NodeView {
        let Self { miner, registration, endpoint, offer, last_rental, .. } = *self;
        let Self { free_rao, reserved_rao, held_rao, exiting_rao, .. } = *self;
        NodeView {
            machine,
            miner,
            registration,
            endpoint,
            free_rao,
            reserved_rao,
            held_rao,
            exiting_rao,
            offer,
            last_rental,
        }
    }
}

impl Nodes {
    /// The machine, if it was read.
    pub fn get(&self, machine: &MachineId) -> Option<NodeView> {
        self.of.get(machine).map(|node| node.view(*machine))
    }

    /// All machines, by identity ascending.
    pub fn iter(&self) -> impl Iterator<Item = NodeView> {
        self.of.iter().map(|(machine, node)| node.view(*machine))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Takes views, in place of older ones of the same machines; says how many new ones had no room within `most`.
    pub(crate) fn put_all<'a>(&mut self, views: impl IntoIterator<Item = &'a NodeView>, most: usize) -> usize {
        self.of.put_all(views.into_iter().map(|view| (view.machine, Node::of(view))), most)
    }

    /// Changes one machine, or puts it in.
    #[cfg(test)]
    pub(crate) fn put(&mut self, view: NodeView) {
        self.put_all([&view], usize::MAX);
    }
}

impl Serialize for Nodes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Nodes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut nodes = Self::default();
        nodes.put_all(&Vec::<NodeView>::deserialize(d)?, usize::MAX);
        Ok(nodes)
    }
}
