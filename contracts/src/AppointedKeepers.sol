// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Governed } from "./base/Governed.sol";
import { IAppointedKeepers } from "./interfaces/IAppointedKeepers.sol";
import { IKeeperSet } from "./interfaces/IKeeperSet.sol";
import { QuorumLib } from "./libraries/QuorumLib.sol";

/// @title Keepers named by an owner (see IAppointedKeepers)
contract AppointedKeepers is IAppointedKeepers, Governed {
    uint256 public constant MAX_KEEPERS = 256;
    uint256 public constant MAX_URL_BYTES = 256;

    /// @dev One slot, read once for each signer of a quorum.
    struct Seat {
        uint64 weight;
        bool active;
        uint16 indexPlusOne; // 0: never recorded
    }

    struct Contact {
        bytes32 sshKey;
        string url;
    }

    /* STORAGE */

    mapping(address account => Seat) private _seats;
    mapping(address account => Contact) private _contacts;
    address[] private _accounts;
    uint128 private _activeWeight;
    uint128 private _activeCount;

    /* CONSTRUCTOR */

    constructor(address owner) Governed(owner) { }

    /* OWNER */

    /// @inheritdoc IAppointedKeepers
    function appoint(address account, uint64 weight, bytes32 sshKey, string calldata url) external onlyOwner {
        require(
            account != address(0) && weight != 0 && sshKey != 0, AppointedKeepers_BadKeeper(account, weight, sshKey)
        );
        Seat storage seat = _seats[account];
        if (seat.indexPlusOne == 0) {
            require(_accounts.length < MAX_KEEPERS, AppointedKeepers_TooMany(MAX_KEEPERS));
            _accounts.push(account);
            // forge-lint: disable-next-line(unsafe-typecast) at most MAX_KEEPERS
            seat.indexPlusOne = uint16(_accounts.length);
        }
        if (seat.active) _leave(seat);
        seat.weight = weight;
        seat.active = true;
        _activeWeight += weight;
        _activeCount += 1;
        _reach(account, sshKey, url);
        emit KeeperAppointed(account, weight, sshKey, url);
    }

    /// @inheritdoc IAppointedKeepers
    function dismiss(address account) external onlyOwner {
        Seat storage seat = _seats[account];
        require(seat.active, AppointedKeepers_NotAKeeper(account));
        _leave(seat);
        emit KeeperDismissed(account);
    }

    /* KEEPER */

    /// @inheritdoc IAppointedKeepers
    function moveTo(bytes32 sshKey, string calldata url) external {
        Seat storage seat = _seats[msg.sender];
        require(seat.active, AppointedKeepers_NotAKeeper(msg.sender));
        require(sshKey != 0, AppointedKeepers_BadKeeper(msg.sender, seat.weight, sshKey));
        _reach(msg.sender, sshKey, url);
        emit KeeperMoved(msg.sender, sshKey, url);
    }

    /* VIEWS */

    /// @inheritdoc IKeeperSet
    function quorumOf(address[] calldata signers) external view returns (bool quorum, bool mayPunish) {
        mayPunish = QuorumLib.isCourt(_activeCount);
        // slither-disable-next-line uninitialized-local a sum begins at zero
        uint256 signed;
        // slither-disable-next-line uninitialized-local a maximum of nothing is zero
        uint256 heaviest;
        address previous = address(0);
        for (uint256 i = 0; i < signers.length; ++i) {
            address signer = signers[i];
            require(previous < signer, KeeperSet_SignersNotAscending(previous, signer));
            previous = signer;
            Seat memory seat = _seats[signer];
            if (!seat.active) return (false, mayPunish);
            signed += seat.weight;
            if (seat.weight > heaviest) heaviest = seat.weight;
        }
        quorum = QuorumLib.isQuorum(signers.length, signed, heaviest, _activeWeight);
    }

    /// @inheritdoc IKeeperSet
    function keeperCount() external view returns (uint256) {
        return _accounts.length;
    }

    /// @inheritdoc IKeeperSet
    function keeperAt(uint256 index) external view returns (Keeper memory) {
        address account = _accounts[index];
        Seat memory seat = _seats[account];
        Contact memory contact = _contacts[account];
        return Keeper(account, seat.weight, seat.active, contact.sshKey, contact.url);
    }

    /// @inheritdoc IAppointedKeepers
    function activeWeight() external view returns (uint256) {
        return _activeWeight;
    }

    /// @inheritdoc IAppointedKeepers
    function activeCount() external view returns (uint256) {
        return _activeCount;
    }

    /* INTERNALS */

    function _leave(Seat storage seat) private {
        seat.active = false;
        _activeWeight -= seat.weight;
        _activeCount -= 1;
    }

    function _reach(address account, bytes32 sshKey, string calldata url) private {
        uint256 length = bytes(url).length;
        require(length <= MAX_URL_BYTES, AppointedKeepers_UrlTooLong(length, MAX_URL_BYTES));
        _contacts[account] = Contact(sshKey, url);
    }
}
