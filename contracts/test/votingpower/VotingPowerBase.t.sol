// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { createVotingPower } from "../Build.sol";
import { VotingPowerKeepers } from "../../src/VotingPowerKeepers.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { IVotingPowerKeepers } from "../../src/interfaces/IVotingPowerKeepers.sol";
import { Subtensor } from "../../src/libraries/Subtensor.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { MetagraphStandIn } from "../standins/MetagraphStandIn.sol";
import { StorageQueryStandIn } from "../standins/StorageQueryStandIn.sol";
import { VotingPowerStandIn } from "../standins/VotingPowerStandIn.sol";

/// @dev A subnet that tracks voting power, and an electorate with nobody seated. Validator n has uid n, the hotkey
/// `_hotkey(n)` and, associated with it, the address 0x1000 + n.
abstract contract VotingPowerBase is Test {
    uint16 internal constant NETUID = 2;
    bytes8 internal constant NETUID_HASH = 0x283537e217dff459; // twox64(0x0200)
    bytes32 internal constant ASSOCIATION_PREFIX = 0x658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2;
    uint32 internal constant CHECK_IN_SECS = 24 hours;
    uint256 internal constant START = 1_800_000_000;

    address internal constant STRANGER = address(0x0456);
    bytes32 internal constant SSH_KEY = keccak256("ssh key");
    string internal constant URL = "https://keeper.example";

    MetagraphStandIn internal constant METAGRAPH = MetagraphStandIn(address(0x802));
    StorageQueryStandIn internal constant STORAGE = StorageQueryStandIn(address(0x807));
    VotingPowerStandIn internal constant POWER = VotingPowerStandIn(address(0x80d));

    VotingPowerKeepers internal keepers;

    function setUp() public virtual {
        vm.warp(START);
        vm.etch(address(0x802), type(MetagraphStandIn).runtimeCode);
        vm.etch(address(0x807), type(StorageQueryStandIn).runtimeCode);
        vm.etch(address(0x80d), type(VotingPowerStandIn).runtimeCode);
        POWER.setTracking(NETUID, true);
        keepers = createVotingPower(NETUID, NETUID_HASH, CHECK_IN_SECS);
    }

    /* NAMES */

    function _keeper(uint256 n) internal pure returns (address) {
        // forge-lint: disable-next-line(unsafe-typecast) small numbers only
        return address(uint160(0x1000 + n));
    }

    function _hotkey(uint256 n) internal pure returns (bytes32) {
        return keccak256(abi.encode("hotkey", n));
    }

    function _uid(uint256 n) internal pure returns (uint16) {
        // forge-lint: disable-next-line(unsafe-typecast) small numbers only
        return uint16(n);
    }

    /// @dev Stands for twox64 of the uid.
    function _uidHash(uint16 uid) internal pure returns (bytes8) {
        return bytes8(keccak256(abi.encode("twox64", uid)));
    }

    function _url(uint256 length) internal pure returns (string memory) {
        return string(new bytes(length));
    }

    /* THE CHAIN */

    function _associate(uint16 uid, address account) internal {
        STORAGE.setValue(_associationKey(uid), abi.encodePacked(account, hex"0700000000000000"));
    }

    function _dissociate(uint16 uid) internal {
        STORAGE.setValue(_associationKey(uid), "");
    }

    function _associationKey(uint16 uid) internal pure returns (bytes memory) {
        bytes2 littleEndian = bytes2(uid % 256 * 256 + uid / 256);
        return abi.encodePacked(ASSOCIATION_PREFIX, NETUID_HASH, hex"0200", _uidHash(uid), littleEndian);
    }

    function _power(uint256 n, uint64 power) internal {
        POWER.setPower(NETUID, _hotkey(n), power);
    }

    function _validator(uint256 n, uint64 power) internal {
        METAGRAPH.setHotkey(NETUID, _uid(n), _hotkey(n));
        _associate(_uid(n), _keeper(n));
        _power(n, power);
    }

    /// @dev `swap_hotkey`: uid and association stay, voting power moves.
    function _swapHotkey(uint256 n, bytes32 to) internal {
        METAGRAPH.setHotkey(NETUID, _uid(n), to);
        POWER.swap(NETUID, _hotkey(n), to);
    }

    /// @dev Somebody else registers and gets the uid: the association goes at once, voting power with the epoch.
    function _recycleUid(uint256 n, bytes32 to) internal {
        METAGRAPH.setHotkey(NETUID, _uid(n), to);
        _dissociate(_uid(n));
    }

    /* STEPS */

    function _join(uint256 n) internal {
        vm.prank(_keeper(n));
        keepers.join(_uid(n), _uidHash(_uid(n)), SSH_KEY, URL);
    }

    function _checkIn(uint256 n) internal {
        vm.prank(_keeper(n));
        keepers.checkIn(_uid(n), _uidHash(_uid(n)));
    }

    function _leave(uint256 n) internal {
        vm.prank(_keeper(n));
        keepers.leave();
    }

    function _seat(uint256 n, uint64 power) internal {
        _validator(n, power);
        _join(n);
    }

    function _seatThree(uint64 a, uint64 b, uint64 c) internal {
        _validator(0, a);
        _validator(1, b);
        _validator(2, c);
        for (uint256 i = 0; i < 3; ++i) {
            _join(i);
        }
    }

    /// @dev The first second in which nobody who checked in now is active any more.
    function _fallSilent() internal {
        skip(CHECK_IN_SECS + 1);
    }

    /// @dev Bit n of `mask`: keeper n signs. Ascending by construction.
    function _signers(uint256 mask) internal pure returns (address[] memory signers) {
        uint256 count;
        for (uint256 i = 0; i < 256; ++i) {
            count += (mask >> i) & 1;
        }
        signers = new address[](count);
        uint256 next;
        for (uint256 i = 0; i < 256; ++i) {
            if ((mask >> i) & 1 == 1) signers[next++] = _keeper(i);
        }
    }

    function _quorum(uint256 mask) internal view returns (bool quorum) {
        (quorum,) = keepers.quorumOf(_signers(mask));
    }

    function _mayPunish() internal view returns (bool mayPunish) {
        (, mayPunish) = keepers.quorumOf(new address[](0));
    }

    /* WHAT IS SEEN */

    function _time() internal view returns (uint32) {
        return uint32(vm.getBlockTimestamp());
    }

    function _weightOf(uint256 n) internal view returns (uint64) {
        return keepers.seatOf(_keeper(n)).weight;
    }

    function _assertSeat(uint256 n, bytes32 hotkey, uint64 weight, uint256 activeUntil) internal view {
        IVotingPowerKeepers.Seat memory seat = keepers.seatOf(_keeper(n));
        assertEq(seat.hotkey, hotkey, "hotkey");
        assertEq(seat.weight, weight, "weight");
        assertEq(Timestamp.unwrap(seat.activeUntil), activeUntil, "activeUntil");
        assertEq(seat.uid, _uid(n), "uid");
        assertNotEq(seat.place, 0, "place");
        assertEq(keepers.accountOf(hotkey), _keeper(n), "accountOf");
    }

    function _assertUnseated(uint256 n) internal view {
        IVotingPowerKeepers.Seat memory nothing;
        assertEq(abi.encode(keepers.seatOf(_keeper(n))), abi.encode(nothing), "unseated");
    }

    function _assertTotals(uint256 count, uint256 weight, uint256 total) internal view {
        assertEq(keepers.keeperCount(), count, "keeperCount");
        assertEq(keepers.seatedWeight(), weight, "seatedWeight");
        assertEq(keepers.subnetPower(), total, "subnetPower");
        _assertTable();
    }

    /// @dev What must hold of any table at any time: places dense, one seat for a hotkey and for an account, weights
    /// positive and adding up, everybody reachable.
    function _assertTable() internal view {
        uint256 sum;
        for (uint256 i = 0; i < keepers.keeperCount(); ++i) {
            IKeeperSet.Keeper memory k = keepers.keeperAt(i);
            IVotingPowerKeepers.Seat memory seat = keepers.seatOf(k.account);
            assertEq(seat.place, i + 1, "its place");
            assertEq(keepers.accountOf(seat.hotkey), k.account, "its hotkey is its own");
            assertEq(k.weight, seat.weight);
            assertGt(k.weight, 0, "weight");
            assertNotEq(k.sshKey, 0, "reachable");
            assertEq(k.active, Timestamp.unwrap(seat.activeUntil) >= _time(), "active");
            sum += k.weight;
        }
        assertEq(keepers.seatedWeight(), sum, "sum of weights");
    }

    /* REVERTS */

    function _expectNotAKeeper(address account) internal {
        vm.expectRevert(abi.encodeWithSelector(IVotingPowerKeepers.VotingPowerKeepers_NotAKeeper.selector, account));
    }

    function _expectNotTracked() internal {
        vm.expectRevert(abi.encodeWithSelector(IVotingPowerKeepers.VotingPowerKeepers_NotTracked.selector, NETUID));
    }

    function _expectNotAssociated(uint16 uid, address found, address caller) internal {
        bytes4 selector = IVotingPowerKeepers.VotingPowerKeepers_NotAssociated.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, uid, found, caller));
    }

    function _expectNoHotkey(uint16 uid) internal {
        vm.expectRevert(abi.encodeWithSelector(IVotingPowerKeepers.VotingPowerKeepers_NoHotkey.selector, uid));
    }

    function _expectNoPower(bytes32 hotkey) internal {
        vm.expectRevert(abi.encodeWithSelector(IVotingPowerKeepers.VotingPowerKeepers_NoPower.selector, hotkey));
    }

    function _expectBadTotal(uint64 total, uint64 weight) internal {
        bytes4 selector = IVotingPowerKeepers.VotingPowerKeepers_BadTotal.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, total, weight));
    }

    function _expectAlreadySeated(address account) internal {
        bytes4 selector = IVotingPowerKeepers.VotingPowerKeepers_AlreadySeated.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, account));
    }

    function _expectNoSshKey(address account) internal {
        vm.expectRevert(abi.encodeWithSelector(IVotingPowerKeepers.VotingPowerKeepers_NoSshKey.selector, account));
    }

    function _expectUrlTooLong(uint256 length) internal {
        bytes4 selector = IVotingPowerKeepers.VotingPowerKeepers_UrlTooLong.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, length, 256));
    }

    function _expectNotExpired(address account, uint256 activeUntil) internal {
        bytes4 selector = IVotingPowerKeepers.VotingPowerKeepers_NotExpired.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, account, activeUntil));
    }

    function _expectTooLight(uint64 weight, uint64 lightest) internal {
        bytes4 selector = IVotingPowerKeepers.VotingPowerKeepers_TooLight.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, weight, lightest));
    }

    /// @dev Whatever gas is sent: the call runs out of it, finds before a read that there is too little, or answers
    /// `answer` (what it returns or reverts with when there is enough). Never anything else.
    function _assertNoGasChangesTheAnswer(bytes memory call, bytes memory answer) internal {
        uint256 starved;
        for (uint256 gas = 2_000; gas <= 100_000; gas += 250) {
            uint256 snapshot = vm.snapshotState();
            // forge-lint: disable-next-line(unchecked-call)
            (bool ok, bytes memory out) = address(keepers).call{ gas: gas }(call);
            vm.revertToState(snapshot);
            // forge-lint: disable-next-line(unsafe-typecast) an error's selector
            bool check = !ok && out.length == 68 && bytes4(out) == Subtensor.Subtensor_NotEnoughGas.selector;
            if (check) ++starved;
            if (!check && (ok || out.length != 0)) assertEq(out, answer, "the answer does not depend on the gas");
        }
        assertGt(starved, 0, "the check was reached");
    }
}
