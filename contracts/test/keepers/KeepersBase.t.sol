// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { createAppointed } from "../Build.sol";
import { AppointedKeepers } from "../../src/AppointedKeepers.sol";
import { IAppointedKeepers } from "../../src/interfaces/IAppointedKeepers.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";

/// @dev An electorate on its own, owned by OWNER and empty. Keeper n is the address 0x1000 + n.
abstract contract KeepersBase is Test {
    address internal constant OWNER = address(0x0123);
    address internal constant STRANGER = address(0x0456);
    bytes32 internal constant SSH_KEY = keccak256("ssh key");
    string internal constant URL = "https://keeper.example";

    AppointedKeepers internal keepers;

    function setUp() public virtual {
        keepers = createAppointed(OWNER);
    }

    function _keeper(uint256 n) internal pure returns (address) {
        // forge-lint: disable-next-line(unsafe-typecast) small numbers only
        return address(uint160(0x1000 + n));
    }

    function _appoint(address account, uint64 weight) internal {
        vm.prank(OWNER);
        keepers.appoint(account, weight, SSH_KEY, URL);
    }

    function _dismiss(address account) internal {
        vm.prank(OWNER);
        keepers.dismiss(account);
    }

    function _url(uint256 length) internal pure returns (string memory) {
        return string(new bytes(length));
    }

    function _assertKeeper(uint256 index, address account, uint64 weight, bool active) internal view {
        IKeeperSet.Keeper memory k = keepers.keeperAt(index);
        assertEq(k.account, account, "account");
        assertEq(k.weight, weight, "weight");
        assertEq(k.active, active, "active");
    }

    function _assertTotals(uint256 count, uint256 active, uint256 weight) internal view {
        assertEq(keepers.keeperCount(), count, "keeperCount");
        assertEq(keepers.activeCount(), active, "activeCount");
        assertEq(keepers.activeWeight(), weight, "activeWeight");
    }

    function _expectNotOwner(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
    }

    function _expectBadKeeper(address account, uint64 weight, bytes32 sshKey) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IAppointedKeepers.AppointedKeepers_BadKeeper.selector, account, weight, sshKey)
        );
    }

    function _expectNotAKeeper(address account) internal {
        vm.expectRevert(abi.encodeWithSelector(IAppointedKeepers.AppointedKeepers_NotAKeeper.selector, account));
    }

    function _expectUrlTooLong(uint256 length) internal {
        vm.expectRevert(abi.encodeWithSelector(IAppointedKeepers.AppointedKeepers_UrlTooLong.selector, length, 256));
    }
}
