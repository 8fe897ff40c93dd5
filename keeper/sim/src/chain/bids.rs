//! Wishes with money behind them: `RentalBids`. See `contracts/SPEC.md`, section 5.

use super::contracts::{Contracts, PRICE_RAO, Reverts};
use std::rc::Rc;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::{Account, MachineId, Rao, SshKey, UnixSecs};

/// An open bid; filled and returned ones are gone.
#[derive(Clone, Debug)]
pub(crate) struct Bid {
    pub(crate) renter: Account,
    pub(crate) key: SshKey,
    pub(crate) max_price_rao: Rao,
    pub(crate) secs: u64,
    pub(crate) expires_at: UnixSecs,
}

impl Bid {
    pub(crate) fn paid_rao(&self) -> Rao {
        self.max_price_rao * self.secs
    }
}

impl Contracts {
    pub(crate) fn post(&mut self, bid: &Bid) {
        self.bids_ever += 1;
        self.ledger.paid_in_rao += bid.paid_rao();
        self.bids.insert(self.bids_ever, Rc::new(bid.clone()));
    }

    /// Turns a bid into a rental at the offer's price; what that costs less is the renter's.
    pub(crate) fn fill(
        &mut self,
        id: u64,
        machine: &MachineId,
        certificates: &[Signed<Certificate>],
        now: UnixSecs,
    ) -> Result<(), Reverts> {
        let bid = self.bids.get(&id).cloned().ok_or("RentalBids_NotOpen")?;
        if now >= bid.expires_at || bid.max_price_rao < PRICE_RAO {
            return Err("RentalBids_DoesNotFit");
        }
        self.check_certificates(machine, certificates, now)?;
        self.rent(*machine, bid.renter, bid.key, bid.secs, now)?;
        self.bids.remove(&id);
        self.note("bids filled");
        // The rental's price came in with the bid, and not a second time.
        self.ledger.paid_in_rao -= bid.secs * PRICE_RAO;
        self.ledger.renters_rao += bid.paid_rao() - bid.secs * PRICE_RAO;
        Ok(())
    }

    pub(crate) fn give_up(&mut self, id: u64) -> Result<(), Reverts> {
        let bid = self.bids.remove(&id).ok_or("RentalBids_NotOpen")?;
        self.ledger.renters_rao += bid.paid_rao();
        Ok(())
    }
}
