// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { Actor } from "./Actor.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev A miner, a renter, a judge and a stranger who are contracts do anything they can, in any order, at any time.
/// Every refusal says why; after every step the books are right; in the end everybody leaves with what is theirs.
contract ActorsTest is ArbiterBase {
    uint256 private constant ACTIONS = 18;
    bytes4 private constant PANIC = bytes4(keccak256("Panic(uint256)"));
    uint256 private constant STEPS = 30;

    uint256 private entropy;
    uint256[ACTIONS] private succeeded;

    /// @dev One of two machines' worth of penalties is slow, the rest not.
    function _breakerBps() internal pure override returns (uint16) {
        return 500;
    }

    function setUp() public override {
        MINER = address(new Actor());
        RENTER = address(new Actor());
        JUDGE = address(new Actor());
        STRANGER = address(new Actor());
        super.setUp();
    }

    /// forge-config: default.fuzz.runs = 100
    function testFuzz_AnyOrderOfActsKeepsTheBooks(uint256 seed) external {
        _play(seed, STEPS, 1);
        _everybodyLeaves();
    }

    /// @dev So that the above is about something: in one long play every act succeeds.
    function test_EveryActSucceedsInALongPlay() external {
        vm.pauseGasMetering();
        _play(7, 600, 20);
        for (uint256 i = 0; i < ACTIONS; ++i) {
            assertGt(succeeded[i], 0, vm.toString(i));
        }
        _everybodyLeaves();
    }

    /* THE PLAY */

    function _play(uint256 seed, uint256 steps, uint256 checkEvery) private {
        entropy = seed;
        for (uint256 i = 0; i < steps; ++i) {
            skip(_draw(12) == 0 ? _draw(1 days) : _draw(30 minutes));
            uint256 action = _draw(ACTIONS);
            (bool ok, bytes memory result) = _act(action);
            if (ok) ++succeeded[action];
            else _assertExplained(result);
            if (i % checkEvery == 0) _assertBooks();
        }
    }

    function _draw(uint256 below) private returns (uint256) {
        entropy = uint256(keccak256(abi.encode(entropy)));
        return entropy % below;
    }

    /// @dev One of our own errors, with its arguments: neither a panic nor nothing.
    function _assertExplained(bytes memory result) private pure {
        assertGe(result.length, 4, "a refusal without a reason");
        // forge-lint: disable-next-line(unsafe-typecast) the selector
        assertTrue(bytes4(result) != PANIC, "a panic");
    }

    function _act(uint256 action) private returns (bool, bytes memory) {
        if (action < 4) return _renterActs(action);
        if (action < 10) return _minerActs(action);
        if (action < 13) return _strangerFiles(action);
        if (action == 13) return _judgeActs();
        return _strangerActs(action);
    }

    function _as(address who, address target, uint256 valueWei, bytes memory data)
        private
        returns (bool, bytes memory)
    {
        return Actor(who).act(target, valueWei, data);
    }

    function _renterActs(uint256 action) private returns (bool ok, bytes memory result) {
        uint32 secs = uint32(1 hours + _draw(2 days));
        uint256 value = uint256(_cost(secs)) * WEI;
        if (action < 2) {
            if (action == 0) _minerGetsReady();
            (, bytes32 offerHash,) = escrow.offerOf(MACHINE);
            bytes memory data =
                abi.encodeCall(IRentalEscrow.rent, (MACHINE, secs, RENTER_KEY, offerHash, _certify(MACHINE, 3)));
            (ok, result) = _as(RENTER, address(escrow), value, data);
            if (ok) (rental, start) = (abi.decode(result, (uint64)), _now());
            return (ok, result);
        }
        if (action == 2) {
            return _as(RENTER, address(escrow), value, abi.encodeCall(IRentalEscrow.extend, (rental, secs)));
        }
        return _as(RENTER, address(escrow), 0, abi.encodeCall(IRentalEscrow.end, (rental)));
    }

    /// @dev And so that a third rental is not refused, the old ones are closed.
    function _minerGetsReady() private {
        uint64 count = escrow.rentalCount();
        uint64[] memory last = new uint64[](2);
        (last[0], last[1]) = (count - 1, count);
        _as(MINER, address(escrow), 0, abi.encodeCall(IRentalEscrow.closeMany, (last)));
        _as(MINER, address(vault), 1e9 * WEI, abi.encodeCall(ICollateralVault.deposit, (MACHINE)));
        _as(MINER, address(escrow), 0, abi.encodeCall(IRentalEscrow.offer, (MACHINE, _terms())));
    }

    function _minerActs(uint256 action) private returns (bool, bytes memory) {
        if (action == 4) {
            return _as(MINER, address(escrow), 0, abi.encodeCall(IRentalEscrow.offer, (MACHINE, _terms())));
        }
        if (action == 5) {
            return _as(MINER, address(vault), _draw(1e9) * WEI, abi.encodeCall(ICollateralVault.deposit, (MACHINE)));
        }
        if (action == 6) {
            Rao some = Rao.wrap(uint64(_draw(1e9)));
            return _as(MINER, address(vault), 0, abi.encodeCall(ICollateralVault.requestExit, (MACHINE, some)));
        }
        if (action == 7) return _as(MINER, address(vault), 0, abi.encodeCall(ICollateralVault.withdraw, (MACHINE)));
        if (action == 8) return _as(MINER, address(escrow), 0, abi.encodeCall(IRentalEscrow.abandon, (rental)));
        uint64 caseId = _anyCase();
        uint256 bond = _statusOf(caseId) == NONE ? 1 : _bondWei(caseId);
        return _as(MINER, address(arbiter), bond, abi.encodeCall(IArbiter.appeal, (caseId, PLEA)));
    }

    function _strangerFiles(uint256 action) private returns (bool, bytes memory) {
        bytes memory data;
        if (action == 12 && _draw(3) == 0) {
            uint16 count = uint16(_draw(2)); // 0 has no penalty
            IArbiter.SignedSpoof[] memory spoofs = _spoofs(H100, count, _now(), 3);
            data = abi.encodeCall(IArbiter.fileSpoofed, (MACHINE, 1, H100, count, spoofs));
        } else {
            IArbiter.Kind kind = action != 11 ? INTERRUPTED : _draw(4) == 0 ? NOT_DELIVERED : OFFLINE;
            uint32 until = kind == INTERRUPTED ? _now() - uint32(_draw(1 hours)) : _now();
            uint32 from = kind == NOT_DELIVERED ? start : until - uint32(_draw(1 hours));
            uint8 gap = _rentalAt(rental).faultCount;
            if (kind == INTERRUPTED) gap = uint8(_draw(uint256(gap) + 1));
            data = abi.encodeCall(IArbiter.file, (kind, rental, gap, _attest(kind, rental, from, until, 3)));
        }
        return _as(STRANGER, address(arbiter), 0, data);
    }

    function _judgeActs() private returns (bool, bytes memory) {
        return _as(JUDGE, address(arbiter), 0, abi.encodeCall(IArbiter.rule, (_anyCase(), _draw(2) == 0)));
    }

    function _strangerActs(uint256 action) private returns (bool, bytes memory) {
        if (action == 14) return _as(STRANGER, address(arbiter), 0, abi.encodeCall(IArbiter.execute, (_anyCase())));
        uint64 any = _anyOf(escrow.rentalCount());
        if (action == 15) return _as(STRANGER, address(escrow), 0, abi.encodeCall(IRentalEscrow.claim, (any)));
        if (action == 16) return _as(STRANGER, address(escrow), 0, abi.encodeCall(IRentalEscrow.close, (any)));
        address[3] memory ledgers = [address(escrow), address(vault), address(arbiter)];
        address ledger = ledgers[_draw(3)];
        if (_draw(4) == 0) return _as(STRANGER, ledger, 0, abi.encodeCall(IRaoLedger.flushBurn, ()));
        address whose = everybody[_draw(2)];
        return _as(STRANGER, ledger, 0, abi.encodeCall(IRaoLedger.withdrawCredit, (whose)));
    }

    function _anyCase() private returns (uint64) {
        return _anyOf(arbiter.caseCount());
    }

    /// @dev The newest are the most interesting; at times one that is not there.
    function _anyOf(uint64 count) private returns (uint64) {
        if (count == 0 || _draw(16) == 0) return count + 1;
        return count - uint64(_draw(count < 3 ? count : 3));
    }

    /* THE END */

    /// @dev Nobody has to agree with anybody: time, and calls anybody may make, decide and close everything.
    function _everybodyLeaves() private {
        skip(60 days);
        for (uint64 id = 1; id <= arbiter.caseCount(); ++id) {
            while (_isWaiting(_statusOf(id))) arbiter.execute(id);
        }
        uint64[] memory rentals = new uint64[](escrow.rentalCount());
        for (uint64 i = 0; i < rentals.length; ++i) {
            rentals[i] = i + 1;
        }
        escrow.closeMany(rentals);
        _leaveTheVault();
        _emptyLedger(escrow);
        _emptyLedger(vault);
        _emptyLedger(arbiter);
        _assertBooks();
    }

    function _leaveTheVault() private {
        (Rao bonded, Rao reserved, Rao held, Rao exiting, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(reserved) + _rao(held), 0, "nothing is bound any more");
        if (_rao(bonded) == 0) return;
        Rao all = exiting + free;
        (bool ok,) = _as(MINER, address(vault), 0, abi.encodeCall(ICollateralVault.requestExit, (MACHINE, all)));
        assertTrue(ok);
        skip(2 days);
        (ok,) = _as(MINER, address(vault), 0, abi.encodeCall(ICollateralVault.withdraw, (MACHINE)));
        assertTrue(ok);
    }

    /// @dev What stays is less than the chain can pay out.
    function _emptyLedger(IRaoLedger ledger) private {
        for (uint256 i = 0; i < 2; ++i) {
            if (_rao(ledger.creditOf(everybody[i])) >= 500) ledger.withdrawCredit(everybody[i]);
        }
        if (_rao(ledger.toBurn()) >= 500) ledger.flushBurn();
        assertLt(_rao(ledger.liabilities()), 1_500, "dust");
    }
}
