// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IKeeperSet } from "./interfaces/IKeeperSet.sol";
import { IVotingPowerKeepers } from "./interfaces/IVotingPowerKeepers.sol";
import { QuorumLib } from "./libraries/QuorumLib.sol";
import { Subtensor } from "./libraries/Subtensor.sol";
import { plusSecs, timeNow } from "./types/Units.sol";

/// @title Keepers by the chain's own average of their stake on the subnet (see IVotingPowerKeepers)
/// @dev Every keeper in the table has its place, its hotkey's entry and its weight in the total, or none of them:
/// `_sit` and `_unseat` are the only ways in and out.
contract VotingPowerKeepers is IVotingPowerKeepers {
    uint256 public constant MAX_KEEPERS = 256;
    uint256 public constant MAX_URL_BYTES = 256;

    uint16 public immutable NETUID;
    bytes8 public immutable NETUID_HASH;
    uint32 public immutable CHECK_IN_SECS;

    struct Contact {
        bytes32 sshKey;
        string url;
    }

    /// @dev One slot, read once for each quorum.
    struct Totals {
        uint128 seatedWeight;
        uint64 subnetPower;
    }

    /* STORAGE */

    mapping(address account => Seat) private _seats;
    mapping(address account => Contact) private _contacts;
    mapping(bytes32 hotkey => address account) private _accountOf;
    address[] private _accounts;
    Totals private _totals;

    /* CONSTRUCTOR */

    constructor(uint16 netuid, bytes8 netuidHash, uint32 checkInSecs) {
        require(netuidHash != 0, VotingPowerKeepers_BadConfig("netuidHash is zero"));
        require(checkInSecs >= 1 hours, VotingPowerKeepers_BadConfig("checkInSecs is under 1 hour"));
        require(checkInSecs <= 7 days, VotingPowerKeepers_BadConfig("checkInSecs is over 7 days"));
        _checkPrecompile(Subtensor.METAGRAPH);
        _checkPrecompile(Subtensor.STORAGE_QUERY);
        _checkPrecompile(Subtensor.VOTING_POWER);
        NETUID = netuid;
        NETUID_HASH = netuidHash;
        CHECK_IN_SECS = checkInSecs;
    }

    /* KEEPER */

    /// @inheritdoc IVotingPowerKeepers
    function join(uint16 uid, bytes8 uidHash, bytes32 sshKey, string calldata url) external {
        Seat storage seat = _seats[msg.sender];
        require(seat.place == 0, VotingPowerKeepers_AlreadySeated(msg.sender));
        require(Subtensor.tracksVotingPower(NETUID), VotingPowerKeepers_NotTracked(NETUID));
        bytes32 hotkey = _provenHotkey(uid, uidHash);
        _sit(seat, hotkey, uid);
        _reach(sshKey, url);
        emit KeeperJoined(msg.sender, hotkey, seat.weight, sshKey, url);
    }

    /// @inheritdoc IVotingPowerKeepers
    function checkIn(uint16 uid, bytes8 uidHash) external {
        require(_contacts[msg.sender].sshKey != 0, VotingPowerKeepers_NotAKeeper(msg.sender));
        bytes32 hotkey = _provenHotkey(uid, uidHash);
        Seat storage seat = _seats[msg.sender];
        if (Subtensor.tracksVotingPower(NETUID)) _sit(seat, hotkey, uid);
        else _staySeated(seat, hotkey, uid);
        emit KeeperCheckedIn(msg.sender, hotkey, seat.weight, seat.activeUntil);
    }

    /// @inheritdoc IVotingPowerKeepers
    function moveTo(bytes32 sshKey, string calldata url) external {
        _seated(msg.sender);
        _reach(sshKey, url);
        emit KeeperMoved(msg.sender, sshKey, url);
    }

    /// @inheritdoc IVotingPowerKeepers
    function leave() external {
        require(_contacts[msg.sender].sshKey != 0, VotingPowerKeepers_NotAKeeper(msg.sender));
        delete _contacts[msg.sender];
        if (_seats[msg.sender].place != 0) _unseat(msg.sender);
        emit KeeperLeft(msg.sender);
    }

    /* ANYBODY */

    /// @inheritdoc IVotingPowerKeepers
    function refresh(address account) external {
        Seat storage seat = _seated(account);
        require(Subtensor.tracksVotingPower(NETUID), VotingPowerKeepers_NotTracked(NETUID));
        bytes32 hotkey = seat.hotkey;
        uint64 weight = Subtensor.votingPowerOf(NETUID, hotkey);
        require(weight != 0, VotingPowerKeepers_NoPower(hotkey));
        _weigh(seat, weight);
        emit KeeperRefreshed(account, weight);
    }

    /// @inheritdoc IVotingPowerKeepers
    function expire(address account) external {
        Seat storage seat = _seated(account);
        require(_isSilent(seat) || _isPowerless(seat), VotingPowerKeepers_NotExpired(account, seat.activeUntil));
        _expire(account);
    }

    /* VIEWS */

    /// @inheritdoc IKeeperSet
    function quorumOf(address[] calldata signers) external view returns (bool quorum, bool mayPunish) {
        bool tracked = Subtensor.tracksVotingPower(NETUID);
        uint256 active;
        (quorum, active) = _count(signers, tracked);
        // As many signers as a court needs prove that there is one; otherwise somebody has to look.
        mayPunish = tracked && (QuorumLib.isCourt(active) || _isCourt());
    }

    /// @inheritdoc IKeeperSet
    function keeperCount() external view returns (uint256) {
        return _accounts.length;
    }

    /// @inheritdoc IKeeperSet
    function keeperAt(uint256 index) external view returns (Keeper memory) {
        address account = _accounts[index];
        Seat storage seat = _seats[account];
        Contact memory contact = _contacts[account];
        return Keeper(account, seat.weight, !_isSilent(seat), contact.sshKey, contact.url);
    }

    /// @inheritdoc IVotingPowerKeepers
    function seatOf(address account) external view returns (Seat memory) {
        return _seats[account];
    }

    /// @inheritdoc IVotingPowerKeepers
    function contactOf(address account) external view returns (bytes32 sshKey, string memory url) {
        return (_contacts[account].sshKey, _contacts[account].url);
    }

    /// @inheritdoc IVotingPowerKeepers
    function accountOf(bytes32 hotkey) external view returns (address) {
        return _accountOf[hotkey];
    }

    /// @inheritdoc IVotingPowerKeepers
    function seatedWeight() external view returns (uint256) {
        return _totals.seatedWeight;
    }

    /// @inheritdoc IVotingPowerKeepers
    function subnetPower() external view returns (uint64) {
        return _totals.subnetPower;
    }

    /* INTERNALS: PROOF */

    /// @dev The hotkey that the chain associates with the caller at `uid`.
    function _provenHotkey(uint16 uid, bytes8 uidHash) private view returns (bytes32 hotkey) {
        address associated = Subtensor.associatedAddress(NETUID, NETUID_HASH, uid, uidHash);
        require(associated == msg.sender, VotingPowerKeepers_NotAssociated(uid, associated, msg.sender));
        hotkey = Subtensor.hotkeyAt(NETUID, uid);
        require(hotkey != 0, VotingPowerKeepers_NoHotkey(uid));
    }

    /// @dev True of who is not seated, too: its time is zero.
    function _isSilent(Seat storage seat) private view returns (bool) {
        return seat.activeUntil < timeNow();
    }

    function _isPowerless(Seat storage seat) private view returns (bool) {
        return Subtensor.tracksVotingPower(NETUID) && Subtensor.votingPowerOf(NETUID, seat.hotkey) == 0;
    }

    function _checkPrecompile(address precompile) private view {
        require(precompile.code.length > 0, VotingPowerKeepers_NotSubtensor(precompile));
    }

    /* INTERNALS: SEATS */

    function _seated(address account) private view returns (Seat storage seat) {
        seat = _seats[account];
        require(seat.place != 0, VotingPowerKeepers_NotAKeeper(account));
    }

    /// @dev Seats the caller for a hotkey proven to be its own, or keeps it seated, with live weight and total.
    function _sit(Seat storage seat, bytes32 hotkey, uint16 uid) private {
        uint64 weight = Subtensor.votingPowerOf(NETUID, hotkey);
        require(weight != 0, VotingPowerKeepers_NoPower(hotkey));
        uint64 total = Subtensor.totalVotingPower(NETUID);
        require(total >= weight, VotingPowerKeepers_BadTotal(total, weight));
        // Effect: one seat for a hotkey. Another account's is from before the chain named the caller.
        address holder = _accountOf[hotkey];
        if (holder != address(0) && holder != msg.sender) _expire(holder);
        if (seat.place == 0) _takePlace(seat, weight);
        if (seat.hotkey != hotkey) {
            delete _accountOf[seat.hotkey];
            _accountOf[hotkey] = msg.sender;
            seat.hotkey = hotkey;
        }
        seat.uid = uid;
        _weigh(seat, weight);
        _totals.subnetPower = total;
        _prolong(seat);
    }

    /// @dev Without live weights: whoever is active may stay as it is. Who is not has a weight of unknown age.
    function _staySeated(Seat storage seat, bytes32 hotkey, uint16 uid) private {
        require(!_isSilent(seat), VotingPowerKeepers_NotTracked(NETUID));
        require(seat.hotkey == hotkey, VotingPowerKeepers_HotkeyMoved(uid, hotkey, seat.hotkey));
        seat.uid = uid;
        _prolong(seat);
    }

    function _prolong(Seat storage seat) private {
        seat.activeUntil = plusSecs(timeNow(), CHECK_IN_SECS);
    }

    function _weigh(Seat storage seat, uint64 weight) private {
        _totals.seatedWeight = _totals.seatedWeight - seat.weight + weight;
        seat.weight = weight;
    }

    function _takePlace(Seat storage seat, uint64 weight) private {
        if (_accounts.length == MAX_KEEPERS) _evictLighterThan(weight);
        _accounts.push(msg.sender);
        // forge-lint: disable-next-line(unsafe-typecast) at most MAX_KEEPERS
        seat.place = uint16(_accounts.length);
    }

    /// @dev Reads the whole table, 1.4 million gas: only when somebody filled it, which takes as many validators.
    function _evictLighterThan(uint64 weight) private {
        // slither-disable-next-line uninitialized-local nobody until one is read
        address lightest;
        uint64 least = type(uint64).max;
        for (uint256 i = 0; i < MAX_KEEPERS && least != 0; ++i) {
            Seat storage seat = _seats[_accounts[i]];
            uint64 counts = _isSilent(seat) ? 0 : seat.weight;
            if (counts < least) (lightest, least) = (_accounts[i], counts);
        }
        require(least < weight, VotingPowerKeepers_TooLight(weight, least));
        _expire(lightest);
    }

    function _expire(address account) private {
        _unseat(account);
        emit KeeperExpired(account);
    }

    /// @dev The last in the table takes the place that becomes free.
    function _unseat(address account) private {
        Seat memory seat = _seats[account];
        address last = _accounts[_accounts.length - 1];
        _accounts[seat.place - 1] = last;
        _seats[last].place = seat.place;
        _accounts.pop();
        _totals.seatedWeight -= seat.weight;
        delete _accountOf[seat.hotkey];
        delete _seats[account];
    }

    function _reach(bytes32 sshKey, string calldata url) private {
        uint256 length = bytes(url).length;
        require(sshKey != 0, VotingPowerKeepers_NoSshKey(msg.sender));
        require(length <= MAX_URL_BYTES, VotingPowerKeepers_UrlTooLong(length, MAX_URL_BYTES));
        _contacts[msg.sender] = Contact(sshKey, url);
    }

    /* INTERNALS: QUORUM */

    /// @return quorum Whether the signers are one.
    /// @return active How many of them are active, up to the first who is not.
    function _count(address[] calldata signers, bool tracked) private view returns (bool quorum, uint256 active) {
        // slither-disable-next-line uninitialized-local a sum starts at zero
        uint256 signed;
        // slither-disable-next-line uninitialized-local a maximum starts at zero
        uint256 heaviest;
        address previous = address(0);
        for (uint256 i = 0; i < signers.length; ++i) {
            address signer = signers[i];
            require(previous < signer, KeeperSet_SignersNotAscending(previous, signer));
            previous = signer;
            Seat storage seat = _seats[signer];
            if (_isSilent(seat)) return (false, i);
            uint256 weight = _counting(seat, tracked);
            signed += weight;
            if (weight > heaviest) heaviest = weight;
        }
        Totals memory totals = _totals;
        // A third of the subnet's power has to be here at all. The product of 128 bits and 3 does not overflow.
        quorum = uint256(totals.seatedWeight) * 3 >= totals.subnetPower
            && QuorumLib.isQuorum(signers.length, signed, heaviest, totals.seatedWeight);
        active = signers.length;
    }

    /// @dev min(recorded, live): what has left the hotkey since counts for nobody, what has come waits to be recorded.
    function _counting(Seat storage seat, bool tracked) private view returns (uint64 weight) {
        weight = seat.weight;
        if (!tracked) return weight;
        uint64 live = Subtensor.votingPowerOf(NETUID, seat.hotkey);
        if (live < weight) weight = live;
    }

    /// @dev Stops at the third active keeper.
    function _isCourt() private view returns (bool) {
        // slither-disable-next-line uninitialized-local a count starts at zero
        uint256 active;
        uint256 length = _accounts.length;
        for (uint256 i = 0; i < length; ++i) {
            if (!_isSilent(_seats[_accounts[i]])) ++active;
            if (QuorumLib.isCourt(active)) return true;
        }
        return false;
    }
}
