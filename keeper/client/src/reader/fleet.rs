//! What weights need of the contracts beyond what keepers follow: hotkeys, owners of retired nodes, which registration
//! a rental is of, and the bond that each class asks for.

use super::{NodeParts, Reader, node_view};
use crate::bindings::RentalEscrow;
use crate::provider::{Each, NodeError};
use surety_core::types::{Account, Hotkey, Rao, RentalId};
use surety_core::view::RentalView;
use surety_core::weights::{Registered, StatedBond};

impl Reader {
    /// Registrations by number, current or over.
    pub async fn registered_at(&self, registrations: &[u32], block: u64) -> Result<Each<Registered>, NodeError> {
        let found = |parts: NodeParts| {
            let NodeParts { view, offer, newest } = parts;
            let mut node = node_view(&view, &offer);
            let current = newest == Some(view.registration);
            if !current {
                // The offer is the machine's, so it is that of a newer registration.
                node.offer = None;
            }
            let (hotkey, miner) = (Hotkey(view.hotkey.0), Account(view.miner.into_array()));
            Registered { node, current, hotkey, miner, stated: None }
        };
        let read = self.parts_of(registrations, block).await?.into_iter();
        let stated = self.stated_at(registrations, block).await?;
        let with = |(parts, stated): (Result<NodeParts, NodeError>, Result<Option<StatedBond>, NodeError>)| {
            let (parts, stated) = (parts?, stated?);
            let outdated_at_secs = u64::from(parts.view.outdatedAt);
            let stated = stated.filter(|stated| outdated_at_secs < stated.stated_at_secs);
            Ok(Registered { stated, ..found(parts) })
        };
        Ok(read.zip(stated).map(with).collect())
    }

    /// Rentals with the registration each is of.
    pub async fn rentals_of(&self, rentals: &[RentalId], block: u64) -> Result<Each<(u32, RentalView)>, NodeError> {
        let calls = rentals.iter().map(|rental| RentalEscrow::rentalAtCall { rental: *rental });
        let found = self.each(*self.escrow.address(), calls, block).await?;
        let registrations = found.into_iter().map(|found| found.map(|found| found.r.registration));
        let views = self.rentals_at(rentals, block).await?;
        Ok(registrations.zip(views).map(|(registration, view)| Ok((registration?, view?))).collect())
    }

    /// The bond that one card of each class asks for; 0 for a class that is not on the market.
    pub async fn class_bonds_at(&self, classes: &[u16], block: u64) -> Result<Each<Rao>, NodeError> {
        let calls = classes.iter().map(|class| RentalEscrow::classBondCall { gpuClass: *class });
        self.each(*self.escrow.address(), calls, block).await
    }
}
