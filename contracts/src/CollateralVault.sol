// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Gate } from "./base/Gate.sol";
import { Governed } from "./base/Governed.sol";
import { StatedBonds } from "./base/StatedBonds.sol";
import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { BondLib } from "./libraries/BondLib.sol";
import { Subtensor } from "./libraries/Subtensor.sol";
import { Backing } from "./types/Backing.sol";
import { Rao, Timestamp, ZERO_RAO, minRao, plusSecs, timeNow } from "./types/Units.sol";

/// @title Where miners' bonds are (see ICollateralVault)
contract CollateralVault is ICollateralVault, Gate, StatedBonds {
    using BondLib for BondLib.Node;

    /// @dev One slot: which node a machine is now (or was last, if that is retired), and where it is.
    struct Machine {
        uint32 registration;
        bytes16 ip;
        uint16 port;
    }

    bytes32 private constant REGISTRATION_PURPOSE = keccak256("surety.machine.register.v1");

    /* IMMUTABLES */

    uint16 public immutable NETUID;
    bytes8 public immutable NETUID_HASH;
    address public immutable ESCROW;
    address public immutable ARBITER;
    uint32 public immutable EXIT_DELAY_SECS;
    uint32 public immutable EXIT_WINDOW_SECS;

    /* STORAGE */

    mapping(bytes32 machine => Machine) private _machines;
    mapping(uint32 registration => BondLib.Node) private _nodes;

    /* CONSTRUCTOR */

    constructor(address owner, Config memory config)
        payable
        Governed(owner)
        StatedBonds(config.keepers, config.statementLifeSecs, config.statedFilingSecs)
    {
        require(config.escrow != address(0), CollateralVault_BadConfig("escrow is zero"));
        require(config.arbiter != address(0), CollateralVault_BadConfig("arbiter is zero"));
        require(config.escrow != config.arbiter, CollateralVault_BadConfig("escrow and arbiter are the same"));
        require(config.keepers != address(0), CollateralVault_BadConfig("keepers is zero"));
        require(config.netuidHash != 0, CollateralVault_BadConfig("netuidHash is zero"));
        require(config.exitDelaySecs != 0, CollateralVault_BadConfig("exitDelaySecs is zero"));
        require(config.exitWindowSecs != 0, CollateralVault_BadConfig("exitWindowSecs is zero"));
        require(config.exitDelaySecs <= 30 days, CollateralVault_BadConfig("exitDelaySecs is over 30 days"));
        // Times are 32 bits: a window without bound would overflow `readyAt + window`, and no bond would ever leave.
        require(config.exitWindowSecs <= 365 days, CollateralVault_BadConfig("exitWindowSecs is over 365 days"));
        require(config.statementLifeSecs != 0, CollateralVault_BadConfig("statementLifeSecs is zero"));
        require(config.statementLifeSecs <= 7 days, CollateralVault_BadConfig("statementLifeSecs is over 7 days"));
        require(config.statedFilingSecs != 0, CollateralVault_BadConfig("statedFilingSecs is zero"));
        require(config.statedFilingSecs <= 30 days, CollateralVault_BadConfig("statedFilingSecs is over 30 days"));
        NETUID = config.netuid;
        NETUID_HASH = config.netuidHash;
        ESCROW = config.escrow;
        ARBITER = config.arbiter;
        EXIT_DELAY_SECS = config.exitDelaySecs;
        EXIT_WINDOW_SECS = config.exitWindowSecs;
        _setGuardian(config.guardian);
    }

    /* MODIFIERS */

    modifier onlyEscrow() {
        require(msg.sender == ESCROW, CollateralVault_OnlyEscrow(msg.sender));
        _;
    }

    modifier onlyArbiter() {
        require(msg.sender == ARBITER, CollateralVault_OnlyArbiter(msg.sender));
        _;
    }

    /* MINER: REGISTERING */

    /// @inheritdoc ICollateralVault
    function register(
        bytes32 machine,
        bytes32 hotkey,
        uint16 uid,
        bytes8 uidHash,
        Endpoint calldata endpoint,
        bytes32[2] calldata machineSig
    ) external returns (uint32 registration) {
        _requireOpen();
        // Check: nobody has it, the caller is the hotkey's address, and holds the machine's host key.
        Machine storage record = _machines[machine];
        uint32 last = record.registration;
        require(last == 0 || _nodes[last].retired, CollateralVault_AlreadyRegistered(machine, _nodes[last].miner));
        bytes32 found = _hotkeyOf(uid, uidHash);
        require(found == hotkey, CollateralVault_HotkeyNotAtUid(uid, found, hotkey));
        _checkPossession(machine, hotkey, machineSig);
        // Effect
        registration = _newRegistration();
        record.registration = registration;
        _place(machine, record, endpoint);
        BondLib.Node storage node = _nodes[registration];
        node.miner = msg.sender;
        node.uid = uid;
        node.hotkey = hotkey;
        node.machine = machine;
        emit Registered(machine, msg.sender, registration, hotkey, uid);
    }

    /// @inheritdoc ICollateralVault
    function rebind(bytes32 machine, uint16 uid, bytes8 uidHash) external {
        (BondLib.Node storage node, uint32 registration) = _ownNode(machine);
        bytes32 hotkey = _hotkeyOf(uid, uidHash);
        node.uid = uid;
        node.hotkey = hotkey;
        node.outdatedAt = timeNow(); // whose bond is stated goes by the hotkey
        emit Rebound(machine, registration, hotkey, uid);
    }

    /// @inheritdoc ICollateralVault
    function retire(bytes32 machine) external {
        (BondLib.Node storage node, uint32 registration) = _ownNode(machine);
        require(
            node.bonded() == ZERO_RAO && !node.hasOpenRental(),
            CollateralVault_NotEmpty(machine, node.bonded(), node.hasOpenRental())
        );
        node.retired = true;
        emit Retired(machine, registration);
    }

    /// @inheritdoc ICollateralVault
    function setEndpoint(bytes32 machine, Endpoint calldata endpoint) external {
        _ownNode(machine);
        _place(machine, _machines[machine], endpoint);
    }

    /* MINER: BOND */

    /// @inheritdoc ICollateralVault
    function deposit(bytes32 machine) external payable {
        _requireOpen();
        (BondLib.Node storage node,) = _ownNode(machine);
        Rao amount = _takeIn();
        Rao free = node.deposit(amount);
        emit Deposited(machine, amount, free);
    }

    /// @inheritdoc ICollateralVault
    function requestExit(bytes32 machine, Rao amount) external {
        (BondLib.Node storage node,) = _ownNode(machine);
        require(ZERO_RAO < amount, CollateralVault_ZeroAmount());
        Rao available = node.free + node.exiting;
        require(amount <= available, CollateralVault_NotEnoughFree(machine, available, amount));
        Timestamp readyAt = plusSecs(timeNow(), EXIT_DELAY_SECS);
        node.startExit(amount, readyAt);
        emit ExitRequested(machine, amount, readyAt);
    }

    /// @inheritdoc ICollateralVault
    function cancelExit(bytes32 machine) external {
        (BondLib.Node storage node,) = _ownNode(machine);
        require(ZERO_RAO < node.exiting, CollateralVault_NoExit(machine));
        Rao amount = node.cancelExit();
        emit ExitCancelled(machine, amount);
    }

    /// @inheritdoc ICollateralVault
    function withdraw(bytes32 machine) external {
        (BondLib.Node storage node,) = _ownNode(machine);
        require(ZERO_RAO < node.exiting, CollateralVault_NoExit(machine));
        Timestamp readyAt = node.exitReadyAt;
        Timestamp closesAt = plusSecs(readyAt, EXIT_WINDOW_SECS);
        Timestamp time = timeNow();
        require(readyAt <= time && time <= closesAt, CollateralVault_ExitNotReady(machine, readyAt, closesAt));
        Rao amount = node.takeExit();
        _owe(msg.sender, amount);
        emit Withdrawn(machine, msg.sender, amount);
    }

    /* ESCROW */

    /// @inheritdoc ICollateralVault
    function reserve(uint32 registration, uint64 rental, Rao total, Timestamp until) external onlyEscrow {
        _requireOpen();
        BondLib.Node storage node = _nodes[registration];
        require(node.miner != address(0) && !node.retired, CollateralVault_NoNode(registration));
        bytes32 found = Subtensor.hotkeyAt(NETUID, node.uid);
        require(found == node.hotkey, CollateralVault_HotkeyNotAtUid(node.uid, found, node.hotkey));
        Wanted memory wanted =
            Wanted(registration, rental, node.newestRental(), node.otherOpen(rental), node.outdatedAt, until);
        if (!node.backingOf(rental).isOpen()) {
            require(node.open(rental), CollateralVault_TwoOpenRentals(registration));
        }
        node.settleExit(EXIT_WINDOW_SECS);
        Rao added = node.reserve(rental, _boundInTao(node, wanted, total));
        emit Reserved(registration, rental, added);
    }

    /// @inheritdoc ICollateralVault
    function release(uint32 registration, uint64 rental) external onlyEscrow {
        Rao amount = _openNode(registration, rental).release(rental);
        emit Released(registration, rental, amount);
    }

    /// @inheritdoc ICollateralVault
    function forfeitReserved(uint32 registration, uint64 rental, Rao amount) external onlyEscrow returns (Rao taken) {
        require(!_isCovered(rental), CollateralVault_Covered(rental));
        taken = _openNode(registration, rental).forfeitReserved(rental, amount);
        _burn(taken);
        emit Forfeited(registration, taken);
    }

    /* ARBITER */

    /// @inheritdoc ICollateralVault
    function setAside(uint32 registration, uint64 rental, Rao amount) external onlyArbiter returns (Rao taken) {
        taken = _openNode(registration, rental).asideReserved(rental, amount);
        emit SetAside(registration, taken);
    }

    /// @inheritdoc ICollateralVault
    function setAsideAny(uint32 registration, Rao amount) external onlyArbiter returns (Rao taken) {
        taken = _nodes[registration].asideAny(amount);
        _nodes[registration].outdatedAt = timeNow(); // it may take of a stated bond too
        emit SetAside(registration, taken);
    }

    /// @inheritdoc ICollateralVault
    function forfeit(uint32 registration, Rao amount) external onlyArbiter {
        _holding(registration, amount).forfeit(amount);
        _burn(amount);
        emit Forfeited(registration, amount);
    }

    /// @inheritdoc ICollateralVault
    function giveBack(uint32 registration, Rao amount) external onlyArbiter {
        _holding(registration, amount).giveBack(amount);
        emit GivenBack(registration, amount);
    }

    /* VIEWS */

    /// @inheritdoc ICollateralVault
    function registrationDigest(bytes32 machine, bytes32 hotkey, address miner) public view returns (bytes32) {
        return keccak256(
            abi.encode(
                REGISTRATION_PURPOSE,
                block.chainid,
                address(this),
                machine,
                hotkey,
                miner,
                _machines[machine].registration
            )
        );
    }

    /// @inheritdoc ICollateralVault
    function registrationCount() external view returns (uint32) {
        // forge-lint: disable-next-line(unsafe-typecast) grows by one, checked in _newRegistration
        return uint32(_books.count);
    }

    /// @inheritdoc ICollateralVault
    function nodeAt(uint32 registration) external view returns (NodeView memory v) {
        BondLib.Node storage node = _nodes[registration];
        Machine storage record = _machines[node.machine];
        (v.machine, v.miner, v.hotkey, v.uid) = (node.machine, node.miner, node.hotkey, node.uid);
        v.outdatedAt = node.outdatedAt;
        v.registration = registration;
        v.retired = node.retired;
        if (record.registration == registration) v.endpoint = Endpoint(record.ip, record.port);
        bool lapsed = node.lapsed(EXIT_WINDOW_SECS);
        v.free = lapsed ? node.free + node.exiting : node.free;
        v.exiting = lapsed ? ZERO_RAO : node.exiting;
        if (ZERO_RAO < v.exiting) v.exitReadyAt = node.exitReadyAt;
        v.held = node.held;
        v.reserved = node.reserved();
        if (node.first.isOpen()) v.firstRental = node.first.rentalOf();
        if (node.second.isOpen()) v.secondRental = node.second.rentalOf();
    }

    /// @inheritdoc ICollateralVault
    function ownerOf(bytes32 machine) external view returns (uint32 registration, address miner) {
        uint32 last = _machines[machine].registration;
        if (!_nodes[last].retired) (registration, miner) = (last, _nodes[last].miner);
    }

    /// @inheritdoc ICollateralVault
    function minerOf(uint32 registration) external view returns (address) {
        return _nodes[registration].miner;
    }

    /// @inheritdoc ICollateralVault
    function machineOf(uint32 registration) external view returns (bytes32) {
        return _nodes[registration].machine;
    }

    /// @inheritdoc ICollateralVault
    function bondOf(bytes32 machine) external view returns (Rao bonded, Rao reserved, Rao held, Rao exiting, Rao free) {
        BondLib.Node storage node = _nodes[_machines[machine].registration];
        bool lapsed = node.lapsed(EXIT_WINDOW_SECS);
        free = lapsed ? node.free + node.exiting : node.free;
        exiting = lapsed ? ZERO_RAO : node.exiting;
        return (node.bonded(), node.reserved(), node.held, exiting, free);
    }

    /// @inheritdoc ICollateralVault
    function reservedFor(uint32 registration, uint64 rental) external view returns (Rao) {
        return _nodes[registration].backingOf(rental).reservedOf();
    }

    /// @inheritdoc ICollateralVault
    function owedToMiners() external view returns (Rao) {
        return _books.liabilities - _books.toBurn;
    }

    /* INTERNALS */

    /// @dev What of `total` TAO bears: what there is of it. The rest is covered by the node's stated bond. What covers
    /// the rental already counts if it stays long enough, and covers nothing any more where TAO does.
    function _boundInTao(BondLib.Node storage node, Wanted memory w, Rao total) private returns (Rao) {
        // One that begins is covered by nothing yet: a read less in every `rent`.
        bool goesOn = w.newest == w.rental;
        Rao covered = goesOn ? _coveredUntil(w.rental, w.until) : ZERO_RAO;
        Rao have = node.backingOf(w.rental).reservedOf();
        Rao missing = _less(_less(total, covered), have);
        Rao tao = have + minRao(missing, node.free);
        if (missing <= node.free) {
            if (goesOn) _beside(w.rental, covered, tao);
            return tao;
        }
        bool stated = _cover(w, covered + (missing - node.free), tao);
        require(stated, CollateralVault_NotEnoughFree(node.machine, node.free, missing));
        return tao;
    }

    function _less(Rao a, Rao b) private pure returns (Rao) {
        return b < a ? a - b : ZERO_RAO;
    }

    function _currentOf(bytes32 machine) internal view override returns (uint32, Timestamp) {
        uint32 last = _machines[machine].registration;
        return (_nodes[last].retired ? 0 : last, _nodes[last].outdatedAt);
    }

    function _ownNode(bytes32 machine) private view returns (BondLib.Node storage node, uint32 registration) {
        registration = _machines[machine].registration;
        node = _nodes[registration];
        address miner = node.miner;
        require(miner != address(0) && !node.retired, CollateralVault_NotRegistered(machine));
        require(msg.sender == miner, CollateralVault_OnlyMiner(machine, miner, msg.sender));
    }

    function _openNode(uint32 registration, uint64 rental) private view returns (BondLib.Node storage node) {
        node = _nodes[registration];
        require(node.backingOf(rental).isOpen(), CollateralVault_NotOpen(registration, rental));
    }

    function _holding(uint32 registration, Rao amount) private view returns (BondLib.Node storage node) {
        node = _nodes[registration];
        require(amount <= node.held, CollateralVault_NotHeld(registration, node.held, amount));
    }

    /// @dev The hotkey at `uid`, once the chain has said that it is associated with the caller.
    function _hotkeyOf(uint16 uid, bytes8 uidHash) private view returns (bytes32 hotkey) {
        address associated = Subtensor.associatedAddress(NETUID, NETUID_HASH, uid, uidHash);
        require(associated == msg.sender, CollateralVault_NotAssociated(uid, associated, msg.sender));
        hotkey = Subtensor.hotkeyAt(NETUID, uid);
        require(hotkey != 0, CollateralVault_NoHotkey(uid));
    }

    function _checkPossession(bytes32 machine, bytes32 hotkey, bytes32[2] calldata machineSig) private view {
        bytes32 digest = registrationDigest(machine, hotkey, msg.sender);
        require(
            Subtensor.ed25519Verifies(digest, machine, machineSig[0], machineSig[1]),
            CollateralVault_BadMachineSignature(machine, digest)
        );
    }

    function _newRegistration() private returns (uint32 registration) {
        uint64 count = _books.count + 1;
        require(count <= type(uint32).max, CollateralVault_BadConfig("no registration numbers left"));
        _books.count = count;
        // forge-lint: disable-next-line(unsafe-typecast) checked above
        registration = uint32(count);
    }

    function _place(bytes32 machine, Machine storage record, Endpoint calldata endpoint) private {
        require(endpoint.ip != 0 && endpoint.port != 0, CollateralVault_BadEndpoint(endpoint.ip, endpoint.port));
        record.ip = endpoint.ip;
        record.port = endpoint.port;
        emit EndpointSet(machine, endpoint.ip, endpoint.port);
    }
}
