// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../../src/interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../../src/types/Units.sol";
import { BondModel } from "../model/BondModel.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
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
        address miner = STORE.minerOf(machine);
        bytes memory expected = _gateError();
        if (expected.length != 0) {
            // nothing else is looked at
        } else if (miner != address(0)) {
            expected =
                abi.encodeWithSelector(ICollateralVault.CollateralVault_AlreadyRegistered.selector, machine, miner);
        } else if (there != hotkey) {
            expected =
                abi.encodeWithSelector(ICollateralVault.CollateralVault_HotkeyNotAtUid.selector, uid, there, hotkey);
        }
        bool ok = _succeeds("register", expected);
        vm.prank(MINERS[uid]);
        vault.register(machine, hotkey, uid, uid == 0 ? UID_HASH : UID1_HASH, _endpoint(), [SIG_R, SIG_S]);
        if (!ok) return;
        if (STORE.registrationOf(machine) != 0) STORE.count("register again");
        STORE.nameMachine(machine, STORE.register(machine, MINERS[uid], uid, hotkey));
    }

    /// @dev To the hotkey at the miner's own uid, whichever that is now; to the other miner's one time of four.
    function rebind(uint256 machineSeed, uint256 uidSeed) external acts {
        bytes32 machine = _registered(machineSeed);
        address miner = STORE.minerOf(machine);
        uint16 own = miner == MINERS[0] ? 0 : 1;
        uint16 uid = uidSeed % 4 == 0 ? 1 - own : own;
        bytes memory expected;
        if (uid != own) {
            expected = abi.encodeWithSelector(
                ICollateralVault.CollateralVault_NotAssociated.selector, uid, MINERS[uid], miner
            );
        }
        bool ok = _succeeds("rebind", expected);
        vm.prank(miner);
        vault.rebind(machine, uid, uid == 0 ? UID_HASH : UID1_HASH);
        if (ok) STORE.rebind(STORE.registrationOf(machine), METAGRAPH.getHotkey(NETUID, uid), _now());
    }

    /// @dev One machine always stays. Three times of four one that is empty, if there is any.
    function retire(uint256 machineSeed) external acts {
        if (STORE.liveMachines() < 2) return;
        bytes32 machine = _registered(machineSeed >> 2);
        for (uint256 i = 0; i < STORE.machineCount() && machineSeed % 4 != 0; ++i) {
            if (_isEmpty(machine)) break;
            machine = _registered((machineSeed >> 2) % 4 + i);
        }
        uint32 registration = STORE.registrationOf(machine);
        bytes memory expected;
        if (!_isEmpty(machine)) {
            uint64[2] memory open = STORE.openRentalsOf(registration);
            expected = abi.encodeWithSelector(
                ICollateralVault.CollateralVault_NotEmpty.selector,
                machine,
                STORE.bondedOf(registration),
                open[0] + open[1] != 0
            );
        }
        address miner = STORE.minerOf(machine);
        bool ok = _succeeds("retire", expected);
        vm.prank(miner);
        vault.retire(machine);
        if (ok) STORE.retire(registration);
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
        address miner = STORE.minerOf(machine);
        bool ok = _succeeds("deposit", _gateError());
        hoax(miner, amount * WEI);
        vault.deposit{ value: amount * WEI }(machine);
        if (ok) STORE.deposit(STORE.registrationOf(machine), amount);
    }

    function requestExit(uint256 machineSeed, uint256 amountSeed) external acts {
        bytes32 machine = _registered(machineSeed);
        BondModel.Bond memory b = _bond(machine);
        uint64 available = b.free + b.exiting;
        // Every other time all of it, so that nothing else can back a rental.
        uint64 amount = amountSeed % 2 == 0 ? available : uint64(bound(amountSeed, 0, available + 1));
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

    /// @dev Asks for all there is, and does not come in time.
    function forgetToWithdraw(uint256 machineSeed) external acts {
        bytes32 machine = _registered(machineSeed);
        BondModel.Bond memory b = _bond(machine);
        if (b.free + b.exiting == 0) return;
        vm.prank(b.miner);
        vault.requestExit(machine, Rao.wrap(b.free + b.exiting));
        STORE.exit(STORE.registrationOf(machine), b.free + b.exiting, _now() + 2 days);
        STORE.pass(5 days + 1);
        STORE.count("forget to withdraw");
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
        bytes memory expected = _gateError();
        if (expected.length == 0 && STORE.classBond(terms.gpuClass) == 0) {
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

    /* RENTALS */

    /// @dev Gives a running rental up.
    function abandon(uint256 rentalSeed) external acts {
        uint64 rental = _perhapsCovered(rentalSeed, Wanted.Running);
        if (rental == 0) return;
        StreamOracle.Tenancy memory t = STORE.tenancyOf(rental);
        uint32 endsAt = STORE.sumOf(rental).end;
        bytes memory expected;
        if (endsAt <= _now()) {
            expected = _error(IRentalEscrow.RentalEscrow_Over.selector, rental, endsAt);
        } else if (STORE.coveredOf(rental).word != 0) {
            expected = _error(ICollateralVault.CollateralVault_Covered.selector, rental);
            STORE.count("abandon, refused");
        }
        uint64 share = STORE.backingOf(rental).intact / 20;
        uint64 earned = _earned(rental);
        bool ok = _succeeds("abandon", expected);
        vm.prank(t.miner);
        escrow.abandon(rental);
        if (!ok) return;
        STORE.abandon(t.registration, rental, share < earned ? share : earned);
        STORE.add(rental, StreamOracle.Did.Shortened, _now(), 0);
        (, bytes32 offerHash) = _termsOf(STORE.bondOf(t.registration).machine);
        assertEq(offerHash, bytes32(0), "a machine that was given up is off the market");
    }

    /* CASES */

    /// @dev Of the cases against anybody one, most often one that can still be appealed.
    function appeal(uint256 caseSeed, uint256 amountSeed) external acts {
        uint64 caseId = _someCase(caseSeed);
        if (caseId == 0) return;
        BondModel.CaseModel memory c = STORE.caseOf(caseId);
        bool waiting = c.status == IArbiter.Status.Filed || c.status == IArbiter.Status.Refunded;
        uint32 until = c.filedAt + (c.slow ? 72 hours : 24 hours);
        uint64 bond = c.penalty / 10 < 10_000_000 ? 10_000_000 : c.penalty / 10;
        uint64 paid = amountSeed % 8 == 0 ? bond - 1 : bond;
        bytes memory expected;
        if (!waiting || until <= _now()) {
            expected = _error(IArbiter.Arbiter_NotAppealable.selector, caseId, uint256(uint8(c.status)), until);
        } else if (paid != bond) {
            expected = _error(IArbiter.Arbiter_WrongAppealBond.selector, paid, bond);
        }
        address miner = STORE.bondOf(c.registration).miner;
        bool ok = _succeeds("appeal", expected);
        hoax(miner, paid * WEI);
        arbiter.appeal{ value: paid * WEI }(caseId, keccak256("evidence"));
        if (ok) _appealed(caseId, c, bond);
    }

    /// @dev Withheld pay whose time is over is the renter's, whatever becomes of the penalty.
    function _appealed(uint64 caseId, BondModel.CaseModel memory c, uint64 bond) private {
        bool due = c.slow && c.secs != 0 && c.filedAt + 24 hours <= _now();
        bool refunded = c.status == IArbiter.Status.Refunded || due;
        if (c.status == IArbiter.Status.Filed && due) {
            STORE.add(c.rental, StreamOracle.Did.Decided, c.secs, 0);
            STORE.count("refund by appeal");
        }
        STORE.appeal(
            caseId, bond, _now() + 48 hours, refunded ? IArbiter.Status.RefundedAppealed : IArbiter.Status.Appealed
        );
    }

    /* INTERNALS */

    function _isEmpty(bytes32 machine) private view returns (bool) {
        uint32 registration = STORE.registrationOf(machine);
        uint64[2] memory open = STORE.openRentalsOf(registration);
        return STORE.bondedOf(registration) == 0 && open[0] + open[1] == 0;
    }

    /// @dev Three times of four one that can be appealed: the newest, or rather one whose pay is due already.
    function _someCase(uint256 seed) private view returns (uint64 picked) {
        uint64 count = STORE.cases();
        if (count == 0) return 0;
        for (uint64 id = count; id > 0 && seed % 4 != 0; --id) {
            BondModel.CaseModel memory c = STORE.caseOf(id);
            bool waiting = c.status == IArbiter.Status.Filed || c.status == IArbiter.Status.Refunded;
            if (!waiting || c.filedAt + (c.slow ? 72 hours : 24 hours) <= _now()) continue;
            bool due = c.slow && c.secs != 0 && c.filedAt + 24 hours <= _now();
            if (picked == 0 || due) picked = id;
        }
        if (picked == 0) picked = _to64((seed >> 2) % count) + 1;
    }

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
