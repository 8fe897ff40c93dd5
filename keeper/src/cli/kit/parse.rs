//! Addresses, machines, classes and endpoints as they are written on a command line.

use super::nearest::hint;
use alloy::primitives::Address;
use std::net::SocketAddr;
use surety_core::types::{Account, Hash32, MachineId};
use surety_substrate::ss58::AccountId;
use surety_verifier::classes::{CLASSES, ClassId};

/// Zeros before an address of 20 bytes in a word of 32.
const WORD_PADDING: usize = 12;

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// An EVM address; its EIP-55 checksum is checked when letters of both cases are in it.
pub(in crate::cli) fn account(text: &str) -> Result<Account, String> {
    let wrong = || format!("'{}' is no address: want 0x and 40 hex digits", short(text));
    let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
    let address: Address = text.parse().map_err(|_| wrong())?;
    let mixed = digits.bytes().any(|b| b.is_ascii_lowercase()) && digits.bytes().any(|b| b.is_ascii_uppercase());
    let right = address.to_checksum(None);
    if mixed && right != text {
        return Err(format!("'{text}' has a wrong checksum: a digit is mistyped, or it should read {right}"));
    }
    Ok(Account(address.into_array()))
}

/// A machine: 32 bytes of an ed25519 host key, as hex or as an SSH public key line.
pub(in crate::cli) fn machine(text: &str) -> Result<MachineId, String> {
    let wrong = || format!("'{}' is no machine: want 64 hex digits (surety market --ids shows them)", short(text));
    if text.starts_with("ssh-") {
        return super::sshkey::parse(text).map(|key| MachineId(key.0)).map_err(|error| error.to_string());
    }
    text.parse().map_err(|_| wrong())
}

/// A hotkey: an SS58 address of Bittensor's, or 64 hex digits.
pub(in crate::cli) fn hotkey(text: &str) -> Result<Hash32, String> {
    if text.starts_with("0x") {
        return text.parse().map_err(|_| format!("'{}' is no hotkey: want 5... or 0x and 64 hex digits", short(text)));
    }
    text.parse::<AccountId>().map(|account| Hash32(account.0)).map_err(|error| error.to_string())
}

/// An account of the chain's own kind, such as a coldkey: an SS58 address, or 64 hex digits.
pub(in crate::cli) fn account_id(text: &str) -> Result<Hash32, String> {
    let evm = || format!("'{}' is an EVM address: want a coldkey (5...), or --own for your own account", short(text));
    if account(text).is_ok() {
        return Err(evm());
    }
    let wrong = |_| format!("'{}' is no account: want 5... or 0x and 64 hex digits", short(text));
    let id: Hash32 = match text.starts_with("0x") {
        true => text.parse().map_err(wrong)?,
        false => text.parse::<AccountId>().map(|account| Hash32(account.0)).map_err(|error| error.to_string())?,
    };
    // As tools pad an address to a word: nobody has the key of such an account, and what it is paid is lost.
    if id.0.starts_with(&[0; WORD_PADDING]) { Err(evm()) } else { Ok(id) }
}

/// A GPU class by its name, however it is spaced and cased, or by its id.
pub(in crate::cli) fn class(text: &str) -> Result<ClassId, String> {
    let plain = |name: &str| name.to_lowercase().replace([' ', '-', '_'], "");
    if let Ok(id) = text.parse::<u16>() {
        return Ok(ClassId(id));
    }
    let names = || CLASSES.iter().map(|class| class.name);
    let found = CLASSES.iter().find(|class| plain(class.name) == plain(text)).map(|class| class.id);
    let all = || names().collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| {
        format!("'{}' is no GPU class{}. Want an id, or one of: {}", short(text), hint(text, names()), all())
    })
}

/// Where an SSH server listens.
pub(in crate::cli) fn endpoint(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| {
        format!("'{}' is no endpoint: want IP:PORT such as 203.0.113.7:22, or [2001:db8::7]:22", short(text))
    })?;
    if address.port() == 0 || address.ip().is_unspecified() {
        return Err(format!("'{}' cannot be reached: want the address and port that others connect to", short(text)));
    }
    Ok(address)
}

/// A digest: 32 bytes as hex.
pub(in crate::cli) fn digest(text: &str) -> Result<Hash32, String> {
    text.parse().map_err(|_| format!("'{}' is no digest: want 0x and 64 hex digits", short(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";

    #[test]
    fn a_mistyped_address_is_noticed_by_its_checksum() {
        assert!(account(RIGHT).is_ok());
        assert!(account(&RIGHT.to_lowercase()).is_ok());
        let swapped = RIGHT.replace("dA6B", "Da6B");
        assert!(account(&swapped).is_err_and(|why| why.contains(RIGHT)), "{swapped}");
        for text in ["", "0x", "d8da6bf26964af9d7eed9e03e53415d37aa96045", "0x12", "vitalik.eth"] {
            assert!(account(text).is_err_and(|why| why.contains("40 hex digits")), "{text}");
        }
    }

    #[test]
    fn an_account_that_is_paid_is_no_evm_address_padded_or_not() {
        let coldkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let hex = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";
        assert_eq!(account_id(coldkey), account_id(hex));
        assert!(account_id(hex).is_ok());
        let padded = format!("0x{}{}", "00".repeat(12), &RIGHT.to_lowercase()[2..]);
        let mut word = [0; 32];
        word[31] = 7;
        for text in [RIGHT, &padded, &format!("0x{}", "00".repeat(32)), &AccountId(word).to_string()] {
            assert!(account_id(text).is_err_and(|why| why.contains("is an EVM address")), "{text}");
        }
        for text in ["", "0x12", "5Grwva", &coldkey.replace('Y', "X")] {
            assert!(account_id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_class_is_found_by_name_or_id_and_a_wrong_name_finds_its_neighbour() {
        assert_eq!(class("h100 sxm"), Ok(ClassId(3)));
        assert_eq!(class("H100-SXM"), Ok(ClassId(3)));
        assert_eq!(class("rtx4090"), Ok(ClassId(11)));
        assert_eq!(class("11"), Ok(ClassId(11)));
        assert!(class("RTX 4900").is_err_and(|why| why.contains("did you mean 'RTX 4090'")));
    }

    #[test]
    fn an_endpoint_is_one_that_others_can_connect_to() {
        assert!(endpoint("203.0.113.7:22").is_ok() && endpoint("[2001:db8::7]:22").is_ok());
        for text in ["203.0.113.7", "0.0.0.0:22", "1.2.3.4:0", "host:22", ""] {
            assert!(endpoint(text).is_err(), "{text}");
        }
    }
}
