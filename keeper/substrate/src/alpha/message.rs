//! What AlphaVault is asked and told. A message on the wire is its selector, the first four bytes of
//! `blake2_256(name)`, and its arguments in order.

#[cfg(test)]
use super::refusal::Refusal;
use super::types;
use crate::ss58::AccountId;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use subxt::ext::codec::{Decode, Encode};

/// Bytes of a selector.
const SELECTOR_BYTES: usize = 4;

/// The selector of a message, as ink! makes it of a name.
pub fn selector(name: &str) -> [u8; SELECTOR_BYTES] {
    let hash: [u8; 32] = Blake2b::<U32>::digest(name).into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// What a message says: its selector, then its arguments.
fn input(name: &str, arguments: &(impl Encode + ?Sized)) -> Vec<u8> {
    let mut input = selector(name).to_vec();
    arguments.encode_to(&mut input);
    input
}

/// A message that changes nothing and refuses nothing.
pub trait View: Encode {
    /// Its name in the contract.
    const NAME: &'static str;
    /// What it answers.
    type Answer: Decode;

    /// Its bytes.
    fn input(&self) -> Vec<u8> {
        input(Self::NAME, self)
    }
}

/// A message that changes something, or is refused.
pub trait Deed: Encode {
    /// Its name in the contract.
    const NAME: &'static str;
    /// What it answers when it is not refused.
    type Answer: Decode;

    /// Its bytes.
    fn input(&self) -> Vec<u8> {
        input(Self::NAME, self)
    }
}

macro_rules! messages {
    (@trait view $name:ident $text:literal $answer:ty) => {
        impl View for $name {
            const NAME: &'static str = $text;
            type Answer = $answer;
        }
    };
    (@trait deed $name:ident $text:literal $answer:ty) => {
        impl Deed for $name {
            const NAME: &'static str = $text;
            type Answer = $answer;
        }
    };
    (@whole view $answer:ty) => { $answer };
    (@whole deed $answer:ty) => { Result<$answer, Refusal> };
    ($(
        $(#[$doc:meta])*
        $kind:ident $text:literal $name:ident { $($(#[$arg_doc:meta])* $arg:ident: $ty:ty),* } -> $answer:ty;
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
            #[codec(crate = subxt::ext::codec)]
            #[cfg_attr(test, derive(scale_info::TypeInfo))]
            pub struct $name { $($(#[$arg_doc])* pub $arg: $ty),* }
            messages!(@trait $kind $name $text $answer);
        )*

        /// All of them with their types, to be compared with the contract's own word on them.
        #[cfg(test)]
        pub(super) fn table() -> Vec<super::tests::Row> {
            vec![$(super::tests::Row {
                name: $text,
                changes: stringify!($kind) == "deed",
                arguments: scale_info::meta_type::<$name>(),
                answer: scale_info::meta_type::<Result<messages!(@whole $kind $answer), types::LangError>>(),
            }),*]
        }
    };
}

messages! {
    /// Takes the caller's own stake into its bond for a machine. Answers how much arrived, which is what is credited.
    deed "deposit" Deposit {
        /// The machine's ed25519 host key.
        machine: [u8; 32],
        /// Under which hotkey the stake is.
        from_hotkey: AccountId,
        /// How much, in rao of alpha.
        amount: u64
    } -> u64;
    /// Asks for part of the caller's bond out of what is free and exiting. Answers when it is ready, in seconds.
    deed "request_exit" RequestExit {
        /// The machine.
        machine: [u8; 32],
        /// How much, in rao; None: all.
        amount: Option<u64>
    } -> u64;
    /// What was exiting is free again.
    deed "cancel_exit" CancelExit {
        /// The machine.
        machine: [u8; 32]
    } -> ();
    /// Inside the exit's window: gives the caller what the exit is worth. Answers how many rao.
    deed "withdraw" Withdraw {
        /// The machine.
        machine: [u8; 32],
        /// Refused if it would be less, in rao.
        min_rao: u64
    } -> u64;
    /// Sets aside what of a rental's penalty falls on alpha. Anybody sends it; answers the case's number here.
    deed "set_aside" SetAside {
        /// What stood behind the rental.
        backing: types::Backing,
        /// A quorum's signatures under it, signers ascending.
        stated: Vec<types::Stated>,
        /// A quorum's attestations of the outage, signers ascending.
        attestations: Vec<types::Attestation>
    } -> u32;
    /// Sets aside what of a `Spoofed` penalty TAO could not bear. Anybody sends it; answers the case's number here.
    deed "set_aside_spoofed" SetAsideSpoofed {
        /// What TAO could not bear.
        shortfall: types::Shortfall,
        /// The class that the machine claimed.
        gpu_class: u16,
        /// How many cards it claimed.
        gpu_count: u16,
        /// A quorum's signatures under the shortfall, signers ascending.
        stated: Vec<types::Stated>,
        /// A quorum's spoofs, signers ascending.
        spoofs: Vec<types::Spoof>
    } -> u32;
    /// Makes a case smaller, or dismisses it, as the Arbiter's case went. Anybody sends it.
    deed "amend" Amend {
        /// The case here.
        case: u32,
        /// What became of the Arbiter's.
        verdict: types::Verdict,
        /// A quorum's signatures under it, signers ascending.
        stated: Vec<types::Stated>
    } -> ();
    /// Makes `next` the roll. Anybody sends it.
    deed "hand_over" HandOver {
        /// The next roll.
        next: types::Roll,
        /// The last second in which it can be handed over, as signed.
        until: u32,
        /// Signatures of a quorum of the present roll, signers ascending.
        signatures: Vec<types::Signature>
    } -> ();
    /// Burns what a case set aside, once nobody can contest it any more. Anybody sends it.
    deed "execute" Execute {
        /// The case here.
        case: u32
    } -> ();
    /// What the vault was made with.
    view "config" Config {} -> types::Config;
    /// The totals.
    view "books" Books {} -> types::Books;
    /// Who speaks for the keepers.
    view "roll" Roll {} -> types::Roll;
    /// A bond by its number.
    view "bond_at" BondAt {
        /// From 1.
        number: u32
    } -> Option<types::Bond>;
    /// The number of a bond.
    view "bond_number" BondNumber {
        /// Whose.
        owner: AccountId,
        /// For which machine.
        machine: [u8; 32]
    } -> Option<u32>;
    /// A case by its number.
    view "case_at" CaseAt {
        /// From 1.
        number: u32
    } -> Option<types::Case>;
    /// The case by which a bond answered for a case of the Arbiter.
    view "judged_by" JudgedBy {
        /// The Arbiter's.
        case_id: u64,
        /// Number of the bond.
        bond: u32
    } -> Option<u32>;
    /// What an account can have paid out, in rao of TAO.
    view "credit_of" CreditOf {
        /// Whose.
        account: AccountId
    } -> u64;
    /// What keepers may state about a bond now.
    view "stateable" Stateable {
        /// Whose.
        owner: AccountId,
        /// For which machine.
        machine: [u8; 32]
    } -> types::Stateable;
}
