//! What AlphaVault says happened. The first topic of an event names it: the contract's metadata have the hash.

use super::types::Kind;
use crate::ss58::AccountId;
use subxt::ext::codec::{Decode, DecodeAll, Encode};
use surety_core::types::Hash32;

macro_rules! events {
    ($(
        $(#[$doc:meta])*
        $name:ident $topic:literal { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
            #[codec(crate = subxt::ext::codec)]
            #[cfg_attr(test, derive(scale_info::TypeInfo))]
            pub struct $name { $($(#[$field_doc])* pub $field: $ty,)* }

            impl $name {
                /// The first topic.
                pub const TOPIC: &'static str = $topic;
            }
        )*

        /// Something that happened to a bond.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $name($name),)*
        }

        impl Event {
            /// What the bytes of an event with this first topic say; None: an event of another kind, or none of ours.
            pub fn read(topic: Hash32, data: &[u8]) -> Option<Self> {
                let topic = hex::encode(topic.0);
                $(if topic == $topic {
                    return $name::decode_all(&mut &data[..]).ok().map(Self::$name);
                })*
                None
            }
        }

        #[cfg(test)]
        pub(super) fn table() -> Vec<(&'static str, &'static str, scale_info::MetaType)> {
            vec![$((stringify!($name), $topic, scale_info::meta_type::<$name>())),*]
        }
    };
}

events! {
    /// Alpha arrived in a bond.
    Deposited "3379b6eee3280022c00f1a635ae5a35d4e917ccd60d8aa28581e40383212002d" {
        /// The bond.
        bond: u32,
        /// Whose.
        owner: AccountId,
        /// For which machine.
        machine: [u8; 32],
        /// How many rao arrived.
        alpha: u64,
        /// Shares given for it.
        shares: u128,
    }
    /// An exit began.
    ExitRequested "c6c53496cf0eb9530060fb5e2fd862dfa7e9b3dfce15f0c74c577dc63b0a23a1" {
        /// The bond.
        bond: u32,
        /// Shares on their way out.
        shares: u128,
        /// First second of the window.
        ready_at: u64,
    }
    /// An exit was called off.
    ExitCancelled "742d35a9334f6a7529a2a181c6bbe70dd807f788728bbd157af2c625cdfb3f58" {
        /// The bond.
        bond: u32,
        /// Shares that are free again.
        shares: u128,
    }
    /// An exit was paid.
    Withdrawn "b1b11a0fa11d33b2f1e462a07275d545620391b0b74ae2721e87ec6dbb65a0f7" {
        /// The bond.
        bond: u32,
        /// Shares that are gone.
        shares: u128,
        /// Rao that left: of alpha, or of TAO once the subnet is gone.
        rao: u64,
    }
    /// A case was filed.
    Filed "ad868fe7728a4a6b19929b7301d7c7438c4544c3661c3da3cd7e623a1abac540" {
        /// The case.
        case: u32,
        /// The bond.
        bond: u32,
        /// What it says.
        kind: Kind,
        /// The Arbiter's case.
        case_id: u64,
        /// Shares set aside.
        shares: u128,
        /// What they were meant to be worth, in rao of alpha.
        alpha: u64,
    }
    /// A quorum's verdict made a case smaller.
    Amended "b077b98b5ee71c13c150afcb3982f1c83ff96a23f7e21189f67711da230e908a" {
        /// The case.
        case: u32,
        /// Shares that are still set aside.
        shares: u128,
        /// What it asks for now, in rao of alpha.
        alpha: u64,
    }
    /// What a case set aside is free bond again.
    Dismissed "d635fda798b949e5453e5cca06b1a925e22557c3501d1c0626faee57e74aadc7" {
        /// The case.
        case: u32,
        /// Shares that are free again.
        shares: u128,
    }
}
