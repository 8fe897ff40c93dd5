//! Runtime calls: what 0x06 decodes from its input and 0x80b's proxyCall carries, and what native accounts send.

use crate::{
    account::AccountId,
    ledger::MoneyError,
    scale::{Reader, compact},
    staking::StakeError,
    world::{ProxyRight, World},
};

/// Deposit for the first proxy and for each one, in rao. 0.06 and 0.033 TAO: as remembered of the
/// runtime, not read or measured.
const PROXY_BASE_RAO: u64 = 60_000_000;
const PROXY_EACH_RAO: u64 = 33_000_000;
/// Proxies one account can have: as remembered of the runtime.
const MAX_PROXIES: usize = 20;
/// Proxy calls inside proxy calls are decoded to this depth. Source: the Dispatch precompile.
const MAX_DEPTH: u32 = 8;

/// Calls this harness knows, with the chain's own pallet and call numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeCall {
    /// Balances (5) . transfer_allow_death (0)
    Transfer {
        /// Receiver.
        dest: AccountId,
        /// Amount.
        rao: u64,
    },
    /// Balances (5) . burn (10)
    Burn {
        /// Amount.
        rao: u64,
        /// Whether the account must survive.
        keep_alive: bool,
    },
    /// SubtensorModule (7) . add_stake (2)
    AddStake {
        /// To whom.
        hotkey: AccountId,
        /// Where.
        netuid: u16,
        /// How much.
        rao: u64,
    },
    /// SubtensorModule (7) . transfer_stake (86)
    TransferStake {
        /// New owner.
        coldkey: AccountId,
        /// Under which hotkey it is and stays.
        hotkey: AccountId,
        /// From where.
        origin_netuid: u16,
        /// To where.
        destination_netuid: u16,
        /// How much, in alpha-rao.
        alpha: u64,
    },
    /// Proxy (16) . proxy (0)
    Proxy {
        /// For whom.
        real: AccountId,
        /// What is done.
        call: Box<RuntimeCall>,
    },
    /// Proxy (16) . add_proxy (1)
    AddProxy(ProxyRight),
    /// Proxy (16) . remove_proxy (2)
    RemoveProxy(ProxyRight),
    /// EVM (22) . call (1), whatever it says: refused inside an EVM execution
    EvmCall,
}

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// Money is missing.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The staking pallet refuses.
    #[error(transparent)]
    Stake(#[from] StakeError),
    /// The caller may not act for that account, or not so.
    #[error("NotProxy: {delegate:?} may not do that for {real:?}")]
    NotProxy {
        /// For whom.
        real: AccountId,
        /// Who tried.
        delegate: AccountId,
    },
    /// That proxy is there already, or there are too many.
    #[error("proxy exists already, is missing, is oneself, or there are too many")]
    BadProxy,
    /// The EVM cannot be entered from inside itself.
    #[error("EVM reentrancy")]
    Reentrancy,
}

impl RuntimeCall {
    /// Decodes; what is left over after the call is ignored, as the precompile does.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Reader(bytes), MAX_DEPTH)
    }

    fn read(r: &mut Reader<'_>, depth: u32) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        Some(match (r.byte()?, r.byte()?) {
            (5, 0) => Self::Transfer { dest: AccountId(r.multi_address()?), rao: r.compact()? },
            (5, 10) => Self::Burn { rao: r.compact()?, keep_alive: r.byte()? != 0 },
            (7, 2) => Self::AddStake { hotkey: AccountId(r.array()?), netuid: r.u16()?, rao: r.u64()? },
            (7, 86) => Self::TransferStake {
                coldkey: AccountId(r.array()?),
                hotkey: AccountId(r.array()?),
                origin_netuid: r.u16()?,
                destination_netuid: r.u16()?,
                alpha: r.u64()?,
            },
            (16, 0) => {
                let real = AccountId(r.multi_address()?);
                if r.byte()? == 1 {
                    r.byte()?;
                }
                Self::Proxy { real, call: Box::new(Self::read(r, depth)?) }
            }
            (16, 1) => Self::AddProxy(right(r)?),
            (16, 2) => Self::RemoveProxy(right(r)?),
            (22, 1) if !r.is_empty() => Self::EvmCall,
            _ => return None,
        })
    }

    /// As SCALE, as a wallet or a hostile contract would write it.
    pub fn encode(&self) -> Vec<u8> {
        let id = |account: &AccountId| [&[0u8][..], &account.0].concat();
        let proxy = |index: u8, right: &ProxyRight| {
            let mut out = [&[16, index][..], &id(&right.delegate), &[right.proxy_type]].concat();
            out.extend_from_slice(&right.delay.to_le_bytes());
            out
        };
        match self {
            Self::Transfer { dest, rao } => [&[5, 0][..], &id(dest), &compact(*rao)].concat(),
            Self::Burn { rao, keep_alive } => [&[5, 10][..], &compact(*rao), &[u8::from(*keep_alive)]].concat(),
            Self::AddStake { hotkey, netuid, rao } => {
                [&[7, 2][..], &hotkey.0, &netuid.to_le_bytes(), &rao.to_le_bytes()].concat()
            }
            Self::TransferStake { coldkey, hotkey, origin_netuid, destination_netuid, alpha } => [
                &[7, 86][..],
                &coldkey.0,
                &hotkey.0,
                &origin_netuid.to_le_bytes(),
                &destination_netuid.to_le_bytes(),
                &alpha.to_le_bytes(),
            ]
            .concat(),
            Self::Proxy { real, call } => [&[16, 0][..], &id(real), &[0], &call.encode()].concat(),
            Self::AddProxy(right) => proxy(1, right),
            Self::RemoveProxy(right) => proxy(2, right),
            Self::EvmCall => vec![22, 1, 0],
        }
    }

    /// Does it as `origin`. What fails half way leaves its traces: callers hold a checkpoint.
    pub(crate) fn run(&self, world: &mut World, origin: AccountId) -> Result<(), DispatchError> {
        match self {
            Self::Transfer { dest, rao } => world.ledger().transfer(origin, *dest, *rao)?,
            Self::Burn { rao, .. } => world.ledger().burn(origin, *rao)?,
            Self::AddStake { hotkey, netuid, rao } => world.market().add(origin, *hotkey, *netuid, *rao)?,
            Self::TransferStake { coldkey, hotkey, origin_netuid, destination_netuid, alpha } => {
                let to = (*destination_netuid, *hotkey, *coldkey);
                world.market().shift((*origin_netuid, *hotkey, origin), to, *alpha)?;
            }
            Self::Proxy { real, call } => {
                if !may_act(world, origin, *real, call) {
                    return Err(DispatchError::NotProxy { real: *real, delegate: origin });
                }
                call.run(world, *real)?;
            }
            Self::AddProxy(right) => add_proxy(world, origin, *right)?,
            Self::RemoveProxy(right) => remove_proxy(world, origin, *right)?,
            Self::EvmCall => return Err(DispatchError::Reentrancy),
        }
        Ok(())
    }
}

fn right(r: &mut Reader<'_>) -> Option<ProxyRight> {
    Some(ProxyRight { delegate: AccountId(r.multi_address()?), proxy_type: r.byte()?, delay: r.u32()? })
}

/// Any (0) may do anything; Staking (8) may stake; Transfer (10) may transfer. Other types permit nothing here. A
/// right with a delay needs an announcement, which this harness does not have.
fn may_act(world: &World, delegate: AccountId, real: AccountId, call: &RuntimeCall) -> bool {
    let permits = |right: &ProxyRight| match right.proxy_type {
        0 => true,
        8 => matches!(call, RuntimeCall::AddStake { .. }),
        10 => matches!(call, RuntimeCall::Transfer { .. } | RuntimeCall::TransferStake { .. }),
        _ => false,
    };
    let rights = world.now.proxies.get(&real);
    rights.is_some_and(|all| all.iter().any(|r| r.delegate == delegate && r.delay == 0 && permits(r)))
}

fn add_proxy(world: &mut World, real: AccountId, right: ProxyRight) -> Result<(), DispatchError> {
    let mut rights = world.now.proxies.get(&real).cloned().unwrap_or_default();
    if rights.contains(&right) || right.delegate == real || rights.len() >= MAX_PROXIES {
        return Err(DispatchError::BadProxy);
    }
    let first = rights.is_empty();
    world.ledger().reserve(real, PROXY_EACH_RAO + if first { PROXY_BASE_RAO } else { 0 })?;
    if first {
        world.ledger().inc_consumers(real);
    }
    rights.push(right);
    world.proxies().insert(real, rights);
    Ok(())
}

fn remove_proxy(world: &mut World, real: AccountId, right: ProxyRight) -> Result<(), DispatchError> {
    let mut rights = world.now.proxies.get(&real).cloned().unwrap_or_default();
    let at = rights.iter().position(|r| *r == right).ok_or(DispatchError::BadProxy)?;
    rights.remove(at);
    let last = rights.is_empty();
    world.ledger().unreserve(real, PROXY_EACH_RAO + if last { PROXY_BASE_RAO } else { 0 });
    if last {
        world.ledger().dec_consumers(real);
        world.proxies().remove(&real);
    } else {
        world.proxies().insert(real, rights);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_survives_encoding() {
        let account = AccountId([7; 32]);
        let right = ProxyRight { delegate: account, proxy_type: 8, delay: 3 };
        let transfer = RuntimeCall::Transfer { dest: account, rao: 50_000_000_000 };
        let (origin_netuid, destination_netuid) = (2, 3);
        for call in [
            transfer.clone(),
            RuntimeCall::Burn { rao: 1, keep_alive: true },
            RuntimeCall::AddStake { hotkey: account, netuid: 2, rao: u64::MAX },
            RuntimeCall::TransferStake {
                coldkey: account,
                hotkey: account,
                origin_netuid,
                destination_netuid,
                alpha: 4,
            },
            RuntimeCall::Proxy { real: account, call: Box::new(transfer) },
            RuntimeCall::AddProxy(right),
            RuntimeCall::RemoveProxy(right),
            RuntimeCall::EvmCall,
        ] {
            assert_eq!(RuntimeCall::decode(&call.encode()), Some(call));
        }
        let mut deep = RuntimeCall::EvmCall;
        for _ in 0..MAX_DEPTH {
            deep = RuntimeCall::Proxy { real: account, call: Box::new(deep) };
        }
        assert_eq!(RuntimeCall::decode(&deep.encode()), None, "nested too deep");
    }
}
