// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "./base/RaoLedger.sol";
import { ICollateralVault } from "./interfaces/ICollateralVault.sol";
import { BondLib } from "./libraries/BondLib.sol";
import { Subtensor } from "./libraries/Subtensor.sol";
import { Rao, Timestamp, ZERO_RAO, plusSecs, timeNow } from "./types/Units.sol";

/// @title Where miners' bonds are (see ICollateralVault)
contract CollateralVault is ICollateralVault, RaoLedger {
    using BondLib for BondLib.Node;

    /// @dev One slot: which node a machine is now, and where it is.
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
    mapping(uint64 rental => Reserve) private _reserves;

    /* CONSTRUCTOR */

    constructor(Config memory config) payable {
        require(config.escrow != address(0), CollateralVault_BadConfig("escrow is zero"));
        require(config.arbiter != address(0), CollateralVault_BadConfig("arbiter is zero"));
        require(config.escrow != config.arbiter, CollateralVault_BadConfig("escrow and arbiter are the same"));
        require(config.netuidHash != 0, CollateralVault_BadConfig("netuidHash is zero"));
        require(config.exitDelaySecs != 0, CollateralVault_BadConfig("exitDelaySecs is zero"));
        require(config.exitWindowSecs != 0, CollateralVault_BadConfig("exitWindowSecs is zero"));
        require(config.exitDelaySecs <= 30 days, CollateralVault_BadConfig("exitDelaySecs is over 30 days"));
        // Times are 32 bits: a window without bound would overflow `readyAt + window`, and no bond would ever leave.
        require(config.exitWindowSecs <= 365 days, CollateralVault_BadConfig("exitWindowSecs is over 365 days"));
        NETUID = config.netuid;
        NETUID_HASH = config.netuidHash;
        ESCROW = config.escrow;
        ARBITER = config.arbiter;
        EXIT_DELAY_SECS = config.exitDelaySecs;
        EXIT_WINDOW_SECS = config.exitWindowSecs;
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
        // Check: nobody has it, the caller is the hotkey's address, and holds the machine's host key.
        Machine storage record = _machines[machine];
        if (record.registration != 0) {
            revert CollateralVault_AlreadyRegistered(machine, _nodes[record.registration].miner);
        }
        _checkAssociation(hotkey, uid, uidHash);
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
    function setEndpoint(bytes32 machine, Endpoint calldata endpoint) external {
        _ownNode(machine);
        _place(machine, _machines[machine], endpoint);
    }

    /* MINER: BOND */

    /// @inheritdoc ICollateralVault
    function deposit(bytes32 machine) external payable {
        BondLib.Node storage node = _ownNode(machine);
        Rao amount = _takeIn();
        Rao free = node.free + amount;
        node.free = free;
        emit Deposited(machine, amount, free);
    }

    /// @inheritdoc ICollateralVault
    function requestExit(bytes32 machine, Rao amount) external {
        BondLib.Node storage node = _ownNode(machine);
        require(ZERO_RAO < amount, CollateralVault_ZeroAmount());
        Rao available = node.free + node.exiting;
        require(amount <= available, CollateralVault_NotEnoughFree(machine, available, amount));
        Timestamp readyAt = plusSecs(timeNow(), EXIT_DELAY_SECS);
        node.startExit(amount, readyAt);
        emit ExitRequested(machine, amount, readyAt);
    }

    /// @inheritdoc ICollateralVault
    function cancelExit(bytes32 machine) external {
        BondLib.Node storage node = _ownNode(machine);
        require(ZERO_RAO < node.exiting, CollateralVault_NoExit(machine));
        emit ExitCancelled(machine, node.cancelExit());
    }

    /// @inheritdoc ICollateralVault
    function withdraw(bytes32 machine) external {
        BondLib.Node storage node = _ownNode(machine);
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
    function reserve(bytes32 machine, uint64 rental, Rao total) external onlyEscrow returns (uint32 registration) {
        registration = _machines[machine].registration;
        require(registration != 0, CollateralVault_NotRegistered(machine));
        BondLib.Node storage node = _nodes[registration];
        bytes32 found = Subtensor.hotkeyAt(NETUID, node.uid);
        require(found == node.hotkey, CollateralVault_HotkeyNotAtUid(node.uid, found, node.hotkey));
        Reserve storage r = _reserves[rental];
        if (r.registration == 0) {
            r.registration = registration;
            node.openRentals += 1;
        }
        require(r.registration == registration && !r.released, CollateralVault_ReserveMismatch(rental, registration));
        node.settleExit(EXIT_WINDOW_SECS);
        _checkFree(machine, node, r, total);
        Rao added = node.reserve(r, total);
        emit Reserved(registration, rental, added, r.reserved);
    }

    /// @inheritdoc ICollateralVault
    function release(uint32 registration, uint64 rental) external onlyEscrow {
        Reserve storage r = _reserveOf(registration, rental);
        require(!r.released, CollateralVault_ReserveMismatch(rental, registration));
        BondLib.Node storage node = _nodes[registration];
        node.openRentals -= 1;
        emit Released(registration, rental, node.release(r));
    }

    /* ARBITER */

    /// @inheritdoc ICollateralVault
    function setAside(uint32 registration, uint64 rental, Rao amount) external onlyArbiter returns (Rao taken) {
        taken = _nodes[registration].asideReserved(_reserveOf(registration, rental), amount);
        emit SetAside(registration, rental, taken);
    }

    /// @inheritdoc ICollateralVault
    function setAsideAny(uint32 registration, uint64 rental, Rao amount) external onlyArbiter returns (Rao taken) {
        BondLib.Node storage node = _nodes[registration];
        // Even a lapsed exit comes first: which part of the unbound bond pays does not matter to anybody.
        taken = node.asideExiting(amount);
        taken = taken + node.asideFree(amount - taken);
        if (rental != 0) taken = taken + node.asideReserved(_reserveOf(registration, rental), amount - taken);
        emit SetAside(registration, rental, taken);
    }

    /// @inheritdoc ICollateralVault
    function forfeit(uint32 registration, uint64 rental, Rao amount) external onlyArbiter {
        BondLib.Node storage node = _nodes[registration];
        require(amount <= node.held, CollateralVault_NotHeld(registration, node.held, amount));
        node.forfeit(_reserveOf(registration, rental), amount);
        _burn(amount);
        emit Forfeited(registration, rental, amount);
    }

    /// @inheritdoc ICollateralVault
    function giveBack(uint32 registration, uint64 rental, Rao amount) external onlyArbiter {
        BondLib.Node storage node = _nodes[registration];
        require(amount <= node.held, CollateralVault_NotHeld(registration, node.held, amount));
        node.giveBack(_reserveOf(registration, rental), amount);
        emit GivenBack(registration, rental, amount);
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
        v.machine = node.machine;
        v.miner = node.miner;
        v.hotkey = node.hotkey;
        v.uid = node.uid;
        v.registration = registration;
        if (record.registration == registration) v.endpoint = Endpoint(record.ip, record.port);
        bool lapsed = node.lapsed(EXIT_WINDOW_SECS);
        v.free = lapsed ? node.free + node.exiting : node.free;
        v.exiting = lapsed ? ZERO_RAO : node.exiting;
        v.reserved = node.reserved;
        v.held = node.held;
        if (ZERO_RAO < v.exiting) v.exitReadyAt = node.exitReadyAt;
        v.openRentals = node.openRentals;
    }

    /// @inheritdoc ICollateralVault
    function ownerOf(bytes32 machine) external view returns (uint32 registration, address miner) {
        registration = _machines[machine].registration;
        miner = _nodes[registration].miner;
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
        return (node.bonded(), node.reserved, node.held, exiting, free);
    }

    /// @inheritdoc ICollateralVault
    function reserveOf(uint64 rental) external view returns (Reserve memory) {
        return _reserves[rental];
    }

    /* INTERNALS */

    function _ownNode(bytes32 machine) private view returns (BondLib.Node storage node) {
        node = _nodes[_machines[machine].registration];
        address miner = node.miner;
        require(miner != address(0), CollateralVault_NotRegistered(machine));
        require(msg.sender == miner, CollateralVault_OnlyMiner(machine, miner, msg.sender));
    }

    /// @dev A case without a rental (rental 0) has no reserve; its record is never written.
    function _reserveOf(uint32 registration, uint64 rental) private view returns (Reserve storage r) {
        r = _reserves[rental];
        require(rental == 0 || r.registration == registration, CollateralVault_ReserveMismatch(rental, registration));
    }

    function _checkFree(bytes32 machine, BondLib.Node storage node, Reserve storage r, Rao total) private view {
        Rao needed = total <= r.reserved ? ZERO_RAO : total - r.reserved;
        Rao covered = r.held + r.forfeited;
        needed = needed <= covered ? ZERO_RAO : needed - covered;
        require(needed <= node.free, CollateralVault_NotEnoughFree(machine, node.free, needed));
    }

    function _checkAssociation(bytes32 hotkey, uint16 uid, bytes8 uidHash) private view {
        address associated = Subtensor.associatedAddress(NETUID, NETUID_HASH, uid, uidHash);
        require(associated == msg.sender, CollateralVault_NotAssociated(uid, associated, msg.sender));
        bytes32 found = Subtensor.hotkeyAt(NETUID, uid);
        require(found == hotkey && found != 0, CollateralVault_HotkeyNotAtUid(uid, found, hotkey));
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
