// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Rao, RaoPerSecond, Timestamp } from "../types/Units.sol";
import { ICollateralVault } from "./ICollateralVault.sol";
import { IKeeperSet } from "./IKeeperSet.sol";
import { IRaoLedger } from "./IRaoLedger.sol";

/// @title Where renters' money is
/// @notice Rent is paid in advance and earned by the second. Nothing is written per second: what a rental has earned
/// follows from its start, its end and the seconds recorded as faulted. All money of a rental is a whole number of
/// seconds at one price, so that conservation is a sum of seconds:
/// `bought == refunded + claimed + faulted + unclaimed`.
/// @dev Assumption (safety): a quorum of keepers does not lie. If it does, it can end rentals and withhold pay until
/// an appeal; it can never take anything for itself.
/// Assumption (liveness): none. With every keeper silent, `claim`, `end` and `close` still pay everybody.
interface IRentalEscrow is IRaoLedger {
    /// @notice What the escrow is deployed with; only the class bond table can change.
    /// @param vault The CollateralVault.
    /// @param arbiter The Arbiter.
    /// @param keepers The IKeeperSet whose quorum certifies machines.
    /// @param treasury Credited with the fee.
    /// @param settleLagSecs Claims lag behind by this much, so that a fault can still be withheld.
    /// @param certificateLifeSecs How old a certificate may be.
    /// @param bondBps Bond needed, in ten-thousandths of a rental's cost.
    /// @param feeBps Fee on what the miner earns, at most 500.
    /// @param abandonBps What abandoning costs, in ten-thousandths of the reserve, at most 2,000; never more than the
    /// rental has earned.
    struct Config {
        address vault;
        address arbiter;
        address keepers;
        address treasury;
        uint32 settleLagSecs;
        uint32 certificateLifeSecs;
        uint16 bondBps;
        uint16 feeBps;
        uint16 abandonBps;
    }

    /// @notice How a machine can be rented.
    /// @param price For the whole machine.
    /// @param minDurationSecs Shortest rental, and the shortest a renter pays for; at most an hour.
    /// @param maxDurationSecs Longest rental, extensions included.
    /// @param gpuClass GPU class id; must be in the class bond table.
    /// @param gpuCount GPUs.
    /// @param turnaroundSecs Pause after a rental before the next.
    /// @param expiresAt The offer lapses then.
    struct Offer {
        RaoPerSecond price;
        uint16 minDurationSecs;
        uint32 maxDurationSecs;
        uint16 gpuClass;
        uint8 gpuCount;
        uint24 turnaroundSecs;
        Timestamp expiresAt;
    }

    /// @notice A keeper's certificate for the machine being rented, with its EIP-2098 compact signature.
    struct SignedCertificate {
        uint16 gpuClass;
        uint16 gpuCount;
        Timestamp measuredAt;
        bytes32 evidence;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice One tenancy. Two slots; the renter's key is in a third.
    /// @dev `claimedSecs` is gross of the fee. `faultedSecs` counts all that was ever withheld, `openSecs` the part of
    /// it whose case is not decided yet. Ends never grow but by `extend`.
    struct Rental {
        // slot 0
        address renter;
        RaoPerSecond price;
        uint32 openSecs;
        uint16 minDurationSecs;
        bool closed;
        // slot 1
        Timestamp start;
        Timestamp end;
        Timestamp paidUntil;
        uint32 boughtSecs;
        uint32 claimedSecs;
        uint32 faultedSecs;
        uint32 registration;
        uint16 gpuClass;
        uint8 gpuCount;
        uint8 faultCount;
    }

    /// @notice An interval [from, until) recorded as without service.
    struct Fault {
        Timestamp from;
        Timestamp until;
        uint64 caseId;
    }

    /// @notice A rental, and one of the gaps between its recorded faults, as far as it can still be withheld.
    struct Gap {
        Rental rental;
        Timestamp from;
        Timestamp until;
    }

    error RentalEscrow_BadConfig(string what);
    error RentalEscrow_OnlyArbiter(address caller);
    error RentalEscrow_OnlyMiner(bytes32 machine, address miner, address caller);
    error RentalEscrow_OnlyItsMiner(uint64 rental, address miner, address caller);
    error RentalEscrow_OnlyRenter(uint64 rental, address renter, address caller);
    error RentalEscrow_UnknownClass(uint16 gpuClass);
    error RentalEscrow_BadClassBond(uint16 gpuClass, Rao bond, Rao max);
    error RentalEscrow_BadOffer(string what);
    error RentalEscrow_NoOffer(bytes32 machine);

    /// @notice The live offer is not the one the renter agreed to.
    error RentalEscrow_OfferChanged(bytes32 liveHash, bytes32 agreedHash);
    error RentalEscrow_BadDuration(uint32 secs, uint32 min, uint32 max);
    error RentalEscrow_WrongPayment(Rao paid, Rao cost);
    error RentalEscrow_NoRenter();
    error RentalEscrow_NoRenterKey();
    error RentalEscrow_NotReady(bytes32 machine, Timestamp readyAt);
    error RentalEscrow_CertificateStale(uint256 index, Timestamp measuredAt, Timestamp notBefore);
    error RentalEscrow_CertificateOfTheFuture(uint256 index, Timestamp measuredAt);
    error RentalEscrow_CertificateTooSmall(uint256 index, uint16 gpuClass, uint16 gpuCount);
    error RentalEscrow_NoQuorum(uint256 signers);
    error RentalEscrow_NoRental(uint64 rental);
    error RentalEscrow_Over(uint64 rental, Timestamp end);
    error RentalEscrow_PriceRaised(RaoPerSecond rentalPrice, RaoPerSecond livePrice);
    error RentalEscrow_NothingToClaim(uint64 rental);
    error RentalEscrow_TooEarly(uint64 rental, Timestamp closableAt);
    error RentalEscrow_Closed(uint64 rental);
    error RentalEscrow_BadInterval(uint64 rental, Timestamp from, Timestamp until);
    error RentalEscrow_TooManyFaults(uint64 rental);
    error RentalEscrow_NotWithheld(uint64 rental, uint32 openSecs, uint32 secs);

    event ClassBondSet(uint16 indexed gpuClass, Rao bond);
    event Offered(bytes32 indexed machine, uint32 indexed registration, Offer offer, bytes32 offerHash);
    event OfferWithdrawn(uint32 indexed registration);
    event Rented(
        uint64 indexed rental,
        bytes32 indexed machine,
        address indexed renter,
        bytes32 renterKey,
        uint32 durationSecs,
        Rao paid,
        Rao reserve
    );
    event Extended(uint64 indexed rental, Timestamp end, Rao paid, Rao reserve);
    event Claimed(uint64 indexed rental, address indexed miner, Rao gross, Rao fee);
    event Ended(uint64 indexed rental, Timestamp end, Rao refunded);
    event Abandoned(uint64 indexed rental, Rao burned);
    event RentalClosed(uint64 indexed rental);
    event Withheld(uint64 indexed rental, uint64 indexed caseId, Timestamp from, Timestamp until);
    event Decided(uint64 indexed rental, uint32 secs, Rao amount, bool toRenter);

    /* OWNER */

    /// @notice Sets what one GPU of a class must be bonded with, for rentals from now on. Owner only.
    /// @dev Zero takes the class off the market. Warning: the owner can stop new business of a class this way, and
    /// nothing else.
    function setClassBond(uint16 gpuClass, Rao bond) external;

    /* MINER */

    /// @notice Offers a machine, replacing its offer. Its miner only.
    /// @return offerHash What a renter agrees to.
    function offer(bytes32 machine, Offer calldata terms) external returns (bytes32 offerHash);

    /// @notice Takes the offer back. Its miner only.
    function withdrawOffer(bytes32 machine) external;

    /// @notice Gives a running rental up: it ends now, the rest is the renter's at once, the offer is taken down, and
    /// min(`abandonBps` of the reserve, what the rental has earned) is burned. Its miner only.
    /// @dev Half of what an `Offline` costs: whoever knows that the machine will not come back says so.
    function abandon(uint64 rental) external;

    /* RENTER */

    /// @notice Rents a machine, paying `price * durationSecs` exactly.
    /// @param machine The machine.
    /// @param durationSecs How long.
    /// @param renterKey The ed25519 SSH key the machine is to let in.
    /// @param offerHash The offer agreed to: nobody can change it in front of the renter.
    /// @param certificates A quorum of keepers' certificates, sorted by signer, each covering the offer's class and
    /// count, none older than the certificate life, all measured since the previous tenant left.
    /// @return rental Dense id, from 1.
    function rent(
        bytes32 machine,
        uint32 durationSecs,
        bytes32 renterKey,
        bytes32 offerHash,
        SignedCertificate[] calldata certificates
    ) external payable returns (uint64 rental);

    /// @notice Rents a machine for somebody else, who is its renter in every respect: ends it, and gets every refund.
    /// @dev Warning: whoever pays here gives the money away.
    function rentFor(
        address renter,
        bytes32 machine,
        uint32 durationSecs,
        bytes32 renterKey,
        bytes32 offerHash,
        SignedCertificate[] calldata certificates
    ) external payable returns (uint64 rental);

    /// @notice Adds `secs` to a running rental at its own price. Anybody may pay; refunds go to the renter.
    /// @dev Reverts without a live offer, if that asks more or allows less in total, without bond for the total, or
    /// when the hotkey left its uid. Needs no certificate: a rented machine cannot be measured.
    function extend(uint64 rental, uint32 secs) external payable;

    /// @notice Ends the rental early. Its renter only. At least `minDuration` is paid for; the rest is credit at once.
    function end(uint64 rental) external;

    /* ANYBODY */

    /// @notice Credits the miner with what was earned up to `settleLag` ago.
    function claim(uint64 rental) external;

    /// @notice After end + settleLag: last payment, bond released. Waits for no case: that money is already aside.
    function close(uint64 rental) external;

    /// @notice Closes those of `rentals` that can be closed and skips the others; never reverts but for want of gas.
    /// @return closed How many.
    function closeMany(uint64[] calldata rentals) external returns (uint256 closed);

    /* ARBITER */

    /// @notice Records [from, until) as without service and withholds its pay; with `terminate` also ends the rental
    /// now, refunds the rest and takes the offer down. Arbiter only.
    /// @param gap Which gap between recorded faults the interval lies in: 0 is before the first.
    /// @return earned What the rental has earned the miner so far, paid or not.
    function withhold(uint64 rental, uint64 caseId, uint8 gap, Timestamp from, Timestamp until, bool terminate)
        external
        returns (Rao earned);

    /// @notice The node signed false capacity proofs: its offer is taken down, a running rental ends and the rest is
    /// refunded, and no certificate measured before now serves it any more. Arbiter only.
    /// @return rental The node's rental that is not closed yet; 0: none.
    function distrust(uint32 registration) external returns (uint64 rental);

    /// @notice The pay of `secs` withheld seconds goes to the renter or to the miner. Arbiter only.
    function decide(uint64 rental, uint32 secs, bool toRenter) external;

    /* VIEWS */

    /// @notice Rentals ever made; `rentalAt` takes 1 .. count.
    function rentalCount() external view returns (uint64);

    /// @notice A rental, closed or not, and the renter's SSH key.
    function rentalAt(uint64 rental) external view returns (Rental memory r, bytes32 renterKey);

    /// @notice Its recorded faults, ascending and disjoint.
    function faultsOf(uint64 rental) external view returns (Fault[] memory);

    /// @notice The machine's offer (price 0: none), its hash, and its newest rental (0: none).
    function offerOf(bytes32 machine) external view returns (Offer memory terms, bytes32 offerHash, uint64 lastRental);

    /// @notice What a rental costs, and what must be bonded for it.
    function quote(bytes32 machine, uint32 durationSecs) external view returns (Rao cost, Rao requiredBond);

    /// @notice Bond for one GPU of a class; 0: not on the market.
    function classBond(uint16 gpuClass) external view returns (Rao);

    /// @notice The newest rental of a registration; 0: none.
    function lastRentalOf(uint32 registration) external view returns (uint64);

    /// @notice What a rental has earned the miner up to now, paid or not, gross of the fee.
    function earnedOf(uint64 rental) external view returns (Rao);

    /// @notice A rental and, of one of the gaps between its recorded faults, the part that can still be withheld: not
    /// yet paid, not in the future, not past the end. Empty (from >= until) when there is none.
    function gapOf(uint64 rental, uint8 gap) external view returns (Gap memory);

    /* IMMUTABLES */

    function VAULT() external view returns (ICollateralVault);
    function ARBITER() external view returns (address);
    function KEEPERS() external view returns (IKeeperSet);
    function SETTLE_LAG_SECS() external view returns (uint32);
    function CERTIFICATE_LIFE_SECS() external view returns (uint32);
}
