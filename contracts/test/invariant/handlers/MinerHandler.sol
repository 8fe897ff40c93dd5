// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../../src/types/Units.sol";
import { BondModel } from "../model/BondModel.sol";
import { HandlerBase, System } from "./HandlerBase.sol";

/// @dev Two miners, four machines, whoever registers one first.
contract MinerHandler is HandlerBase {
    bytes8 internal constant UID1_HASH = 0xf1577fbf1d628fdd; // twox64(0x0100)
    uint64 internal constant MAX_DEPOSIT = 20e9;

    constructor(System memory s) HandlerBase(s) {
        _associate(MINERS[0]);
        METAGRAPH.setHotkey(NETUID, 1, _hotkey(1));
        bytes memory key = abi.encodePacked(ASSOCIATION_PREFIX, NETUID_HASH, hex"0200", UID1_HASH, hex"0100");
        STORAGE.setValue(key, abi.encodePacked(MINERS[1], hex"0700000000000000"));
    }

    /* MACHINES */

    function register(uint256 minerSeed, uint256 machineSeed) external acts {
        uint16 uid = _to16(minerSeed % 2);
        bytes32 machine = _machine(machineSeed);
        bytes32 hotkey = _hotkey(uid);
        ED25519.recordVerified(vault.registrationDigest(machine, hotkey, MINERS[uid]), machine, SIG_R, SIG_S);
        bytes32 there = METAGRAPH.getHotkey(NETUID, uid);
        bytes memory expected;
        if (STORE.registrationOf(machine) != 0) {
            expected = abi.encodeWithSelector(
                ICollateralVault.CollateralVault_AlreadyRegistered.selector, machine, STORE.minerOf(machine)
            );
        } else if (there != hotkey) {
            expected =
                abi.encodeWithSelector(ICollateralVault.CollateralVault_HotkeyNotAtUid.selector, uid, there, hotkey);
        }
        bool ok = _succeeds("register", expected);
        vm.prank(MINERS[uid]);
        vault.register(machine, hotkey, uid, uid == 0 ? UID_HASH : UID1_HASH, _endpoint(), [SIG_R, SIG_S]);
        if (ok) STORE.nameMachine(machine, STORE.register(machine, MINERS[uid]));
    }

    function setEndpoint(uint256 machineSeed, uint256 ip, uint256 port) external acts {
        bytes32 machine = _registered(machineSeed);
        ICollateralVault.Endpoint memory endpoint;
        endpoint.ip = bytes16(uint128(bound(ip, 1, type(uint128).max)));
        endpoint.port = uint16(bound(port, 1, type(uint16).max));
        vm.prank(STORE.minerOf(machine));
        vault.setEndpoint(machine, endpoint);
        STORE.count("setEndpoint");
    }

    /* BOND */

    function deposit(uint256 machineSeed, uint256 amountSeed) external acts {
        bytes32 machine = _registered(machineSeed);
        uint64 amount = uint64(bound(amountSeed, 1, MAX_DEPOSIT));
        hoax(STORE.minerOf(machine), amount * WEI);
        vault.deposit{ value: amount * WEI }(machine);
        STORE.deposit(STORE.registrationOf(machine), amount);
        STORE.count("deposit");
    }

    function requestExit(uint256 machineSeed, uint256 amountSeed) external acts {
        bytes32 machine = _registered(machineSeed);
        BondModel.Bond memory b = _bond(machine);
        uint64 available = b.free + b.exiting;
        uint64 amount = uint64(bound(amountSeed, 0, available + 1));
        bytes memory expected;
        if (amount == 0) {
            expected = abi.encodeWithSelector(ICollateralVault.CollateralVault_ZeroAmount.selector);
        } else if (amount > available) {
            expected = abi.encodeWithSelector(
                ICollateralVault.CollateralVault_NotEnoughFree.selector, machine, available, amount
            );
        }
        bool ok = _succeeds("requestExit", expected);
        vm.prank(b.miner);
        vault.requestExit(machine, Rao.wrap(amount));
        if (ok) STORE.exit(STORE.registrationOf(machine), amount, _now() + 2 days);
    }

    function cancelExit(uint256 machineSeed) external acts {
        bytes32 machine = _registered(machineSeed);
        BondModel.Bond memory b = _bond(machine);
        bool ok = _succeeds("cancelExit", b.exiting == 0 ? _noExit(machine) : bytes(""));
        vm.prank(b.miner);
        vault.cancelExit(machine);
        if (ok) STORE.stay(STORE.registrationOf(machine));
    }

    function withdraw(uint256 machineSeed) external acts {
        bytes32 machine = _ripe(machineSeed);
        BondModel.Bond memory b = _bond(machine);
        uint32 closesAt = b.exitReadyAt + 3 days;
        bytes memory expected;
        if (b.exiting == 0) {
            expected = _noExit(machine);
        } else if (_now() < b.exitReadyAt || closesAt < _now()) {
            expected = abi.encodeWithSelector(
                ICollateralVault.CollateralVault_ExitNotReady.selector, machine, b.exitReadyAt, closesAt
            );
        }
        bool ok = _succeeds("withdraw", expected);
        vm.prank(b.miner);
        vault.withdraw(machine);
        if (ok) STORE.takeOut(STORE.registrationOf(machine));
    }

    /* OFFERS */

    function offer(uint256 machineSeed, uint256 price, uint256 durations, uint256 what, uint256 expiry) external acts {
        bytes32 machine = _registered(machineSeed);
        uint16 minSecs = uint16(bound(durations, 1, 1 hours));
        IRentalEscrow.Offer memory terms = IRentalEscrow.Offer({
            price: RaoPerSecond.wrap(uint40(price % 3 == 0 ? bound(price, 1, 50_000) : 1_000)),
            minDurationSecs: minSecs,
            maxDurationSecs: uint32(bound(durations >> 32, 4 days, 20 days)),
            gpuClass: what % 3 == 0 ? H100 + 1 : H100,
            gpuCount: uint8(bound(what >> 8, 1, 4)),
            turnaroundSecs: uint24(bound(what >> 32, 0, 30 minutes)),
            expiresAt: Timestamp.wrap(_now() + uint32(bound(expiry, 1, 60 days)))
        });
        bytes memory expected;
        if (STORE.classBond(terms.gpuClass) == 0) {
            expected = _error(IRentalEscrow.RentalEscrow_UnknownClass.selector, terms.gpuClass);
        }
        address miner = STORE.minerOf(machine);
        _succeeds("offer", expected);
        vm.prank(miner);
        escrow.offer(machine, terms);
    }

    function withdrawOffer(uint256 machineSeed) external acts {
        bytes32 machine = _registered(machineSeed);
        (IRentalEscrow.Offer memory terms,) = _termsOf(machine);
        bytes memory expected;
        if (RaoPerSecond.unwrap(terms.price) == 0) {
            expected = _error(IRentalEscrow.RentalEscrow_NoOffer.selector, uint256(machine));
        }
        address miner = STORE.minerOf(machine);
        _succeeds("withdrawOffer", expected);
        vm.prank(miner);
        escrow.withdrawOffer(machine);
    }

    /* INTERNALS */

    function _noExit(bytes32 machine) private pure returns (bytes memory) {
        return _error(ICollateralVault.CollateralVault_NoExit.selector, uint256(machine));
    }

    /// @dev A machine whose exit can be withdrawn now, if there is one.
    function _ripe(uint256 seed) private view returns (bytes32 machine) {
        for (uint256 i = 0; i < STORE.machineCount(); ++i) {
            machine = _registered(seed % 4 + i);
            BondModel.Bond memory b = _bond(machine);
            if (b.exiting != 0 && b.exitReadyAt <= _now() && _now() <= b.exitReadyAt + 3 days) return machine;
        }
    }
}
