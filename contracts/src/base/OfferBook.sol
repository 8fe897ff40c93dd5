// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../interfaces/ICollateralVault.sol";
import { IRentalEscrow } from "../interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp, ZERO_RAO, bpsOfUp, costOf, timeNow, toRao } from "../types/Units.sol";
import { Governed } from "./Governed.sol";

/// @title What machines are offered for, and what bond that takes (the market half of IRentalEscrow)
abstract contract OfferBook is IRentalEscrow, Governed {
    /// @dev One slot: the offer of a registration, and its newest rental. An offer taken down keeps the rest.
    struct Listing {
        RaoPerSecond price; // 0: no offer
        uint16 minDurationSecs;
        uint32 maxDurationSecs;
        uint16 gpuClass;
        uint8 gpuCount;
        uint24 turnaroundSecs;
        Timestamp expiresAt;
        uint64 lastRental;
    }

    uint256 public constant MAX_BOND_BPS = 10_000;
    uint16 public constant MAX_MIN_DURATION_SECS = 1 hours;
    uint32 public constant MAX_DURATION_SECS = 366 days;

    /// @dev Hard bound of the class bond table: 100 TAO a GPU, about 60 times the dearest of the default table.
    Rao public constant MAX_CLASS_BOND = Rao.wrap(100e9);

    /* IMMUTABLES */

    ICollateralVault public immutable VAULT;
    uint16 public immutable BOND_BPS;

    /* STORAGE */

    mapping(uint32 registration => Listing) internal _listings;
    mapping(uint16 gpuClass => Rao) private _classBond;

    /* CONSTRUCTOR */

    constructor(address vault, uint16 bondBps, uint16[] memory classes, Rao[] memory bonds) {
        require(vault != address(0), RentalEscrow_BadConfig("vault is zero"));
        require(bondBps <= MAX_BOND_BPS, RentalEscrow_BadConfig("bondBps is over 10,000"));
        require(classes.length == bonds.length, RentalEscrow_BadConfig("classes and bonds differ in length"));
        VAULT = ICollateralVault(vault);
        BOND_BPS = bondBps;
        for (uint256 i = 0; i < classes.length; ++i) {
            _setClassBond(classes[i], bonds[i]);
        }
    }

    /* OWNER */

    /// @inheritdoc IRentalEscrow
    function setClassBond(uint16 gpuClass, Rao bond) external onlyOwner {
        _setClassBond(gpuClass, bond);
    }

    /* MINER */

    /// @inheritdoc IRentalEscrow
    function offer(bytes32 machine, Offer calldata terms) external returns (bytes32 offerHash) {
        VAULT.requireOpen();
        uint32 registration = _checkMiner(machine);
        _checkTerms(terms);
        uint64 lastRental = _listings[registration].lastRental;
        Listing memory listing = Listing({
            price: terms.price,
            minDurationSecs: terms.minDurationSecs,
            maxDurationSecs: terms.maxDurationSecs,
            gpuClass: terms.gpuClass,
            gpuCount: terms.gpuCount,
            turnaroundSecs: terms.turnaroundSecs,
            expiresAt: terms.expiresAt,
            lastRental: lastRental
        });
        _listings[registration] = listing;
        offerHash = _hashOf(registration, listing);
        emit Offered(machine, registration, terms, offerHash);
    }

    /// @inheritdoc IRentalEscrow
    function withdrawOffer(bytes32 machine) external {
        uint32 registration = _checkMiner(machine);
        require(_isLive(_listings[registration]), RentalEscrow_NoOffer(machine));
        _takeDown(registration);
    }

    /* VIEWS */

    /// @inheritdoc IRentalEscrow
    function offerOf(bytes32 machine) external view returns (Offer memory terms, bytes32 offerHash, uint64 lastRental) {
        // slither-disable-next-line unused-return whose machine it is does not matter here
        (uint32 registration,) = VAULT.ownerOf(machine);
        Listing memory listing = _listings[registration];
        lastRental = listing.lastRental;
        if (_isLive(listing)) (terms, offerHash) = (_termsOf(listing), _hashOf(registration, listing));
    }

    /// @inheritdoc IRentalEscrow
    function quote(bytes32 machine, uint32 durationSecs) external view returns (Rao cost, Rao bond) {
        // slither-disable-next-line unused-return whose machine it is does not matter here
        (uint32 registration,) = VAULT.ownerOf(machine);
        Listing memory listing = _listings[registration];
        require(_isLive(listing), RentalEscrow_NoOffer(machine));
        cost = costOf(listing.price, durationSecs);
        bond = _requiredBond(listing.gpuClass, listing.gpuCount, cost);
    }

    /// @inheritdoc IRentalEscrow
    function classBond(uint16 gpuClass) external view returns (Rao) {
        return _classBond[gpuClass];
    }

    /// @inheritdoc IRentalEscrow
    function lastRentalOf(uint32 registration) external view returns (uint64) {
        return _listings[registration].lastRental;
    }

    /* INTERNALS */

    /// @dev max(class bond of all GPUs, `BOND_BPS` of the cost), the second rounded up.
    function _requiredBond(uint16 gpuClass, uint8 gpuCount, Rao cost) internal view returns (Rao) {
        Rao perGpu = _classBond[gpuClass];
        require(ZERO_RAO < perGpu, RentalEscrow_UnknownClass(gpuClass));
        Rao byClass = toRao(uint256(Rao.unwrap(perGpu)) * gpuCount);
        Rao byCost = bpsOfUp(cost, BOND_BPS);
        return byClass < byCost ? byCost : byClass;
    }

    function _isLive(Listing memory listing) internal view returns (bool) {
        return RaoPerSecond.unwrap(listing.price) != 0 && timeNow() < listing.expiresAt;
    }

    function _takeDown(uint32 registration) internal {
        _listings[registration].price = RaoPerSecond.wrap(0);
        emit OfferWithdrawn(registration);
    }

    /// @dev What a renter agrees to: the registration (so, the machine and its miner) and every term.
    function _hashOf(uint32 registration, Listing memory listing) internal pure returns (bytes32) {
        return keccak256(abi.encode(registration, _termsOf(listing)));
    }

    function _termsOf(Listing memory listing) private pure returns (Offer memory) {
        return Offer(
            listing.price,
            listing.minDurationSecs,
            listing.maxDurationSecs,
            listing.gpuClass,
            listing.gpuCount,
            listing.turnaroundSecs,
            listing.expiresAt
        );
    }

    function _checkMiner(bytes32 machine) private view returns (uint32 registration) {
        address miner;
        (registration, miner) = VAULT.ownerOf(machine);
        require(miner == msg.sender, RentalEscrow_OnlyMiner(machine, miner, msg.sender));
    }

    function _checkTerms(Offer calldata terms) private view {
        require(RaoPerSecond.unwrap(terms.price) != 0, RentalEscrow_BadOffer("price is zero"));
        require(terms.gpuCount != 0, RentalEscrow_BadOffer("gpuCount is zero"));
        require(terms.minDurationSecs != 0, RentalEscrow_BadOffer("minDurationSecs is zero"));
        require(
            terms.minDurationSecs <= MAX_MIN_DURATION_SECS, RentalEscrow_BadOffer("minDurationSecs is over an hour")
        );
        require(
            terms.minDurationSecs <= terms.maxDurationSecs,
            RentalEscrow_BadOffer("maxDurationSecs is under minDurationSecs")
        );
        require(terms.maxDurationSecs <= MAX_DURATION_SECS, RentalEscrow_BadOffer("maxDurationSecs is over 366 days"));
        require(timeNow() < terms.expiresAt, RentalEscrow_BadOffer("expiresAt is not in the future"));
        require(ZERO_RAO < _classBond[terms.gpuClass], RentalEscrow_UnknownClass(terms.gpuClass));
    }

    function _setClassBond(uint16 gpuClass, Rao bond) private {
        require(bond <= MAX_CLASS_BOND, RentalEscrow_BadClassBond(gpuClass, bond, MAX_CLASS_BOND));
        _classBond[gpuClass] = bond;
        emit ClassBondSet(gpuClass, bond);
    }
}
