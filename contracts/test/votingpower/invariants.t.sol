// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { VotingPowerKeepers } from "../../src/VotingPowerKeepers.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";
import { VotingPowerHandler } from "./Handler.sol";

/// @dev What holds of the electorate after anything. `_assertTable` says: places dense, one seat for an account and for
/// a hotkey, weights positive and adding up to `seatedWeight`.
contract VotingPowerInvariants is VotingPowerBase {
    uint256 private constant ACTORS = 8;

    VotingPowerHandler private _handler;

    function setUp() public override {
        _handler = new VotingPowerHandler();
        keepers = VotingPowerKeepers(_handler.electorate());
        targetContract(address(_handler));
        targetSelector(FuzzSelector(address(_handler), _handler.selectors()));
    }

    function invariant_TheTableAddsUp() external view {
        _assertTable();
    }

    /// @dev The other way round: whoever is named anywhere is in the table.
    function invariant_NobodyIsSeatedOutsideTheTable() external view {
        uint256 seated;
        uint256 named;
        for (uint256 n = 0; n < ACTORS; ++n) {
            if (keepers.seatOf(_keeper(n)).place != 0) ++seated;
            else _assertUnseated(n);
            address account = keepers.accountOf(_hotkey(n));
            if (account == address(0)) continue;
            ++named;
            assertEq(keepers.seatOf(account).hotkey, _hotkey(n));
        }
        assertEq(seated, keepers.keeperCount());
        assertEq(named, keepers.keeperCount());
    }

    /// @dev No double counting: with everybody signing, what counts is at most what the chain says there is.
    function invariant_NoPowerCountsTwice() external view {
        if (POWER.failing() || !POWER.isVotingPowerTrackingEnabled(NETUID)) return;
        uint256 counted;
        for (uint256 i = 0; i < keepers.keeperCount(); ++i) {
            IKeeperSet.Keeper memory k = keepers.keeperAt(i);
            uint256 live = POWER.getVotingPower(NETUID, keepers.seatOf(k.account).hotkey);
            counted += live < k.weight ? live : k.weight;
        }
        assertLe(counted, POWER.getTotalVotingPower(NETUID));
    }

    /// @dev Invariant 11, and a court is three: from `keeperAt` alone.
    function invariant_NoSingleKeeperAndNoCourtOfTwo() external view {
        uint256 active;
        for (uint256 i = 0; i < keepers.keeperCount(); ++i) {
            IKeeperSet.Keeper memory k = keepers.keeperAt(i);
            address[] memory signers = new address[](1);
            signers[0] = k.account;
            (bool quorum,) = keepers.quorumOf(signers);
            assertFalse(quorum);
            if (k.active) ++active;
        }
        bool live = !POWER.failing() && POWER.isVotingPowerTrackingEnabled(NETUID);
        assertEq(_mayPunish(), live && active >= 3);
    }

    /// @dev Left to chance, everything happens: else the invariants above would say little.
    function test_TheHandlerReachesEveryCall() external {
        uint256 seed = 1;
        for (uint256 i = 0; i < 3_000; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _step(seed);
        }
        bytes4[6] memory calls = [
            keepers.join.selector,
            keepers.checkIn.selector,
            keepers.moveTo.selector,
            keepers.leave.selector,
            keepers.refresh.selector,
            keepers.expire.selector
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            assertGt(_handler.done(calls[i]), 20, vm.toString(i));
        }
    }

    function _step(uint256 seed) private {
        // forge-lint: disable-next-line(unsafe-typecast) below 12
        uint8 which = uint8(seed % 12);
        // forge-lint: disable-next-line(unsafe-typecast) dice
        uint8 a = uint8(seed >> 8);
        // forge-lint: disable-next-line(unsafe-typecast) dice
        uint8 b = uint8(seed >> 16);
        if (which == 0) _handler.power(a, b);
        if (which == 1) _handler.associate(a, b);
        if (which == 2) _handler.dissociate(a);
        if (which == 3) _handler.swapHotkeys(a, b, a % 2 == 0);
        if (which == 4) _handler.switchTracking(a);
        // forge-lint: disable-next-line(unsafe-typecast) dice
        if (which == 5) _handler.pass(uint32(seed >> 24));
        if (which == 6) _handler.join(a, b);
        if (which == 7) _handler.checkIn(a, b);
        if (which == 8) _handler.moveTo(a, bytes32(seed));
        if (which == 9) _handler.leave(a);
        if (which == 10) _handler.refresh(a);
        if (which == 11) _handler.expire(a);
    }
}
