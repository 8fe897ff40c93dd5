/**
 * What each error of the contracts means, for whoever meets it: what was wrong, what was expected, what to do.
 * `test/errors.test.ts` walks the ABIs and fails when one is missing here.
 */

import { formatDuration, formatTao } from '../units.ts'

/** An error's arguments by name, as viem decodes them. */
export type Args = Record<string, unknown>
type Sentence = (args: Args) => string

const tao = (value: unknown): string => `${formatTao(BigInt(value as bigint))} TAO`
const time = (value: unknown): string =>
  `${new Date(Number(value) * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`
const secs = (value: unknown): string => formatDuration(Number(value))
const hex = (value: unknown): string => `${String(value).slice(0, 10)}…${String(value).slice(-4)}`
/** Text of the contracts' own code; cut, so that whatever comes cannot fill a page. */
const text = (value: unknown): string => String(value).slice(0, 80)

const CASE_STATES = ['none', 'filed', 'appealed', 'executed', 'dismissed', 'refunded', 'refunded and appealed']
const caseState = (value: unknown): string => CASE_STATES[Number(value)] ?? 'unknown'
const BID_STATES = ['none', 'open', 'filled', 'returned']
const bidState = (value: unknown): string => BID_STATES[Number(value)] ?? 'unknown'

const escrow: Record<string, Sentence> = {
  RentalEscrow_BadConfig: (a) => `The contract cannot be deployed with this setting: ${text(a.what)}.`,
  RentalEscrow_OnlyArbiter: () => 'Only the Arbiter contract may do this.',
  RentalEscrow_OnlyMiner: (a) =>
    `Only the miner of machine ${hex(a.machine)}, ${hex(a.miner)}, may do this. Switch to that account.`,
  RentalEscrow_OnlyItsMiner: (a) =>
    `Only the miner of rental ${a.rental}, ${hex(a.miner)}, may do this. Switch to that account.`,
  RentalEscrow_OnlyRenter: (a) =>
    `Only the renter of rental ${a.rental}, ${hex(a.renter)}, may end it. Switch to that account.`,
  RentalEscrow_UnknownClass: (a) => `GPU class ${a.gpuClass} is not on the market: it has no bond in the table.`,
  RentalEscrow_BadClassBond: (a) =>
    `A bond of ${tao(a.bond)} for class ${a.gpuClass} is more than the ${tao(a.max)} that is allowed.`,
  RentalEscrow_BadOffer: (a) => `The offer makes no sense: ${text(a.what)}. Correct that and try again.`,
  RentalEscrow_NoOffer: (a) =>
    `Machine ${hex(a.machine)} is not offered: its offer was taken back, has lapsed, or was taken down by a case.`,
  RentalEscrow_OfferChanged: () =>
    'The offer has changed since you looked at it. Look at the new price and terms, and agree to those.',
  RentalEscrow_BadDuration: (a) =>
    `${secs(a.secs)} is not a length that this machine is rented for: at least ${secs(a.min)}, at most ${secs(a.max)}.`,
  RentalEscrow_WrongPayment: (a) => `The payment must be exactly ${tao(a.cost)}, and was ${tao(a.paid)}.`,
  RentalEscrow_NoRenter: () => 'A rental needs a renter: the zero address is nobody.',
  RentalEscrow_NoRenterKey: () => 'A rental needs an SSH key: without one the machine can let nobody in.',
  RentalEscrow_NotReady: (a) =>
    `Machine ${hex(a.machine)} is rented, or resting after its last tenant. It can be rented from ${time(a.readyAt)}.`,
  RentalEscrow_CertificateStale: (a) =>
    `A keeper's certificate is of ${time(a.measuredAt)}; it must be newer than ${time(a.notBefore)}. ` +
    'Wait until keepers have measured the machine again.',
  RentalEscrow_CertificateOfTheFuture: (a) =>
    `A keeper's certificate is of ${time(a.measuredAt)}, which is still to come. Its clock is wrong; try again soon.`,
  RentalEscrow_CertificateTooSmall: (a) =>
    `A keeper found ${a.gpuCount} GPUs of class ${a.gpuClass}, which does not cover what is offered.`,
  RentalEscrow_NoQuorum: (a) =>
    `Certificates of ${a.signers} keepers are no quorum. It takes at least two, with two thirds of the weight.`,
  RentalEscrow_NoRental: (a) => `There is no rental ${a.rental}.`,
  RentalEscrow_Over: (a) => `Rental ${a.rental} was over at ${time(a.end)}.`,
  RentalEscrow_PriceRaised: (a) =>
    `The machine now asks ${tao(a.livePrice)} a second, more than the ${tao(a.rentalPrice)} of this rental, ` +
    'so the rental cannot be extended. Rent anew when it ends.',
  RentalEscrow_NothingToClaim: (a) => `Nothing of rental ${a.rental} can be claimed yet: claims lag behind.`,
  RentalEscrow_TooEarly: (a) => `Rental ${a.rental} can be closed from ${time(a.closableAt)}.`,
  RentalEscrow_Closed: (a) => `Rental ${a.rental} is closed: everything of it is paid.`,
  RentalEscrow_BadInterval: (a) =>
    `From ${time(a.from)} until ${time(a.until)} is not an interval that can be withheld of rental ${a.rental}.`,
  RentalEscrow_TooManyFaults: (a) => `Rental ${a.rental} has as many recorded faults as it can have.`,
  RentalEscrow_NotWithheld: (a) => `Only ${secs(a.openSecs)} of rental ${a.rental} are withheld, not ${secs(a.secs)}.`,
}

const vault: Record<string, Sentence> = {
  CollateralVault_BadConfig: (a) => `The contract cannot be deployed with this setting: ${text(a.what)}.`,
  CollateralVault_OnlyEscrow: () => 'Only the RentalEscrow contract may do this.',
  CollateralVault_OnlyArbiter: () => 'Only the Arbiter contract may do this.',
  CollateralVault_OnlyMiner: (a) =>
    `Only the miner of machine ${hex(a.machine)}, ${hex(a.miner)}, may do this. Switch to that account.`,
  CollateralVault_AlreadyRegistered: (a) => `Machine ${hex(a.machine)} is registered already, by ${hex(a.miner)}.`,
  CollateralVault_NotRegistered: (a) => `Machine ${hex(a.machine)} is not registered.`,
  CollateralVault_NoNode: (a) => `There is no registration ${a.registration}, or it was retired.`,
  CollateralVault_NotAssociated: (a) =>
    `The chain does not associate this account with uid ${a.uid}. Associate the hotkey with it first.`,
  CollateralVault_HotkeyNotAtUid: (a) =>
    `The machine's hotkey is not at uid ${a.uid} any more, so it takes no new business. Its miner can rebind it.`,
  CollateralVault_NoHotkey: (a) => `No hotkey sits at uid ${a.uid}.`,
  CollateralVault_BadMachineSignature: (a) =>
    `The signature is not that of the host key of machine ${hex(a.machine)}, or was made for another registration.`,
  CollateralVault_BadEndpoint: (a) => `An endpoint needs an address and a port; the port was ${a.port}.`,
  CollateralVault_ZeroAmount: () => 'The amount must be more than zero.',
  CollateralVault_NotEnoughFree: (a) =>
    `The machine has ${tao(a.free)} of free bond, and ${tao(a.wanted)} is needed. ` +
    'Its miner must deposit more; a shorter rental may need less.',
  CollateralVault_NoExit: () => 'Nothing of this bond is on its way out.',
  CollateralVault_ExitNotReady: (a) =>
    `The exit can be withdrawn from ${time(a.readyAt)} until ${time(a.closesAt)}. Later it is free bond again.`,
  CollateralVault_NotEmpty: (a) =>
    `The machine still has ${tao(a.bonded)} of bond${a.hasOpenRental ? ' and a rental that is not closed' : ''}. ` +
    'Withdraw the bond, close the rentals and wait for the cases first.',
  CollateralVault_TwoOpenRentals: () =>
    'The machine backs two rentals that are not closed, and cannot back a third. Anybody can close the older one.',
  CollateralVault_NotOpen: (a) => `Rental ${a.rental} is not backed by this registration, or not any more.`,
  CollateralVault_Covered: (a) => `Rental ${a.rental} is covered by a bond elsewhere and cannot be given up.`,
  CollateralVault_NotHeld: (a) => `Only ${tao(a.held)} is held in cases, not ${tao(a.wanted)}.`,
  Backing_RentalTooLarge: (a) => `Rental number ${a.rental} does not fit the vault's books.`,
}

const arbiter: Record<string, Sentence> = {
  Arbiter_BadConfig: (a) => `The contract cannot be deployed with this setting: ${text(a.what)}.`,
  Arbiter_BadKind: () => 'A case of this kind is not filed this way.',
  Arbiter_WrongKind: (a) => `Attestation ${a.index} is of another kind than the case.`,
  Arbiter_BadInterval: (a) => `The interval of attestation ${a.index} is empty or reaches into the future.`,
  Arbiter_Stale: (a) => `Attestation ${a.index} is of ${time(a.until)}; it must be newer than ${time(a.notBefore)}.`,
  Arbiter_NotFromStart: (a) => `Attestation ${a.index} does not begin with the rental, at ${time(a.start)}.`,
  Arbiter_NoQuorum: (a) => `Statements of ${a.signers} keepers are no quorum.`,
  Arbiter_NoRental: (a) => `There is no rental ${a.rental}.`,
  Arbiter_RentalOver: (a) => `Rental ${a.rental} was over at ${time(a.end)}.`,
  Arbiter_AlreadyServed: (a) => `Rental ${a.rental} has had service, so it was delivered.`,
  Arbiter_NotLastGap: (a) => `Another fault of rental ${a.rental} is recorded by now; this must name gap ${a.lastGap}.`,
  Arbiter_TooShort: (a) => `What is left of the interval is shorter than ${secs(a.minSecs)}.`,
  Arbiter_NotCurrent: (a) => `Machine ${hex(a.machine)} has another registration now: ${a.current}.`,
  Arbiter_NoCase: (a) => `There is no case ${a.caseId}.`,
  Arbiter_NotExecutable: (a) =>
    `Case ${a.caseId} is ${caseState(a.status)}; it can be carried out from ${time(a.executableAt)}.`,
  Arbiter_OnlyMiner: (a) => `Only the miner, ${hex(a.miner)}, may appeal case ${a.caseId}. Switch to that account.`,
  Arbiter_NotAppealable: (a) =>
    `Case ${a.caseId} is ${caseState(a.status)}, and could be appealed until ${time(a.appealableUntil)}.`,
  Arbiter_WrongAppealBond: (a) => `An appeal must be paid with exactly ${tao(a.bond)}; ${tao(a.paid)} was paid.`,
  Arbiter_OnlyJudge: () => 'Only the judge may rule on an appeal.',
  Arbiter_NotRulable: (a) => `Case ${a.caseId} is ${caseState(a.status)}; the judge had until ${time(a.ruleBy)}.`,
}

const bids: Record<string, Sentence> = {
  RentalBids_BadConfig: (a) => `The contract cannot be deployed with this setting: ${text(a.what)}.`,
  RentalBids_BadBid: (a) => `The bid makes no sense: ${text(a.what)}.`,
  RentalBids_WrongPayment: (a) => `The payment must be exactly ${tao(a.cost)}, and was ${tao(a.paid)}.`,
  RentalBids_NotOpen: (a) => `Bid ${a.bid} is ${bidState(a.status)}.`,
  RentalBids_Expired: (a) => `Bid ${a.bid} expired at ${time(a.expiresAt)}.`,
  RentalBids_OnlyRenter: (a) => `Only its renter may give up bid ${a.bid} before ${time(a.expiresAt)}.`,
  RentalBids_DoesNotFit: (a) =>
    `The machine offers ${a.gpuCount} GPUs of class ${a.gpuClass} at ${tao(a.price)} a second, ` +
    `which is not what bid ${a.bid} asks for.`,
}

const keepers: Record<string, Sentence> = {
  KeeperSet_SignersNotAscending: () => 'Statements must be sorted by signer, each signer once.',
  AppointedKeepers_BadKeeper: () => 'A keeper needs an address, a weight above zero and an SSH key.',
  AppointedKeepers_TooMany: (a) => `There can be no more than ${a.limit} keepers.`,
  AppointedKeepers_NotAKeeper: (a) => `${hex(a.account)} is no active keeper.`,
  AppointedKeepers_UrlTooLong: (a) => `A URL of ${a.length} bytes is too long; at most ${a.limit}.`,
  VotingPowerKeepers_BadConfig: (a) => `The contract cannot be deployed with this setting: ${text(a.reason)}.`,
  VotingPowerKeepers_NotSubtensor: () => 'This chain has no voting power to read: it is not Subtensor.',
  VotingPowerKeepers_NotTracked: (a) => `The chain does not keep voting power up to date on subnet ${a.netuid}.`,
  VotingPowerKeepers_NotAssociated: (a) => `The chain does not associate this account with uid ${a.uid}.`,
  VotingPowerKeepers_NoHotkey: (a) => `No hotkey sits at uid ${a.uid}.`,
  VotingPowerKeepers_HotkeyMoved: (a) => `Another hotkey sits at uid ${a.uid} now, and weights are frozen.`,
  VotingPowerKeepers_NoPower: (a) => `The chain gives hotkey ${hex(a.hotkey)} no voting power.`,
  VotingPowerKeepers_BadTotal: () => "The subnet's whole voting power could not be read. Try again with more gas.",
  VotingPowerKeepers_AlreadySeated: (a) => `${hex(a.account)} has a seat already.`,
  VotingPowerKeepers_NotAKeeper: (a) => `${hex(a.account)} is no keeper.`,
  VotingPowerKeepers_TooLight: (a) => `All places are taken by keepers that weigh at least ${a.lightest} rao.`,
  VotingPowerKeepers_NotExpired: (a) => `${hex(a.account)} is active until ${time(a.activeUntil)}.`,
  VotingPowerKeepers_NoSshKey: () => 'A keeper needs an SSH key.',
  VotingPowerKeepers_UrlTooLong: (a) => `A URL of ${a.length} bytes is too long; at most ${a.limit}.`,
}

const shared: Record<string, Sentence> = {
  RaoLedger_NotWholeRao: () => 'The payment must be a whole number of rao above zero: a multiple of 1000000000 wei.',
  RaoLedger_WrongSeed: () => 'A contract of this kind must be created with exactly 500 rao.',
  RaoLedger_NotSubtensor: () => 'This chain cannot pay out: it is not Subtensor. Nothing was sent.',
  RaoLedger_CreditTooSmall: (a) =>
    `The credit is ${tao(a.credit)}; the chain pays out no less than ${tao(a.smallest)}. It waits until there is more.`,
  RaoLedger_NothingToBurn: (a) => `Only ${tao(a.waiting)} waits; no less than ${tao(a.smallest)} can be moved.`,
  RaoLedger_PaymentFailed: (a) => `The chain refused to pay out ${tao(a.amount)}. The credit stays; try again later.`,
  Gate_OnlyGuardian: () => 'Only the guardian may pause new business.',
  Gate_Paused: (a) => `New business is paused until ${time(a.until)}. Ending, claiming and withdrawing work as always.`,
  Gate_Sunset: () => 'This deployment takes no new business any more. Use the one that followed it.',
  Gate_BadPause: (a) => `A pause lasts at least a second and at most ${secs(a.max)}.`,
  Gate_NotPaused: () => 'New business is not paused.',
  Gate_TooSoon: (a) => `The last pause is too recent. The next is possible from ${time(a.notBefore)}.`,
  Governed_OwnerNeeded: () => 'The owner cannot renounce: what nobody can repair would be frozen for ever.',
  OwnableInvalidOwner: () => 'The zero address cannot be the owner.',
  OwnableUnauthorizedAccount: () => 'Only the owner may do this.',
  Eip712_BadSignature: () => 'A signature is not valid. Ask the keepers for their statements again.',
  Units_Overflow: () => 'An amount or a time is too large. Choose a smaller one.',
  Subtensor_NotEnoughGas: (a) => `Too little gas: ${a.left} left, ${a.needed} needed. Try again with more.`,
  StatedBonds_NotCurrent: (a) => `Machine ${hex(a.machine)} has another registration now: ${a.current}.`,
  StatedBonds_Nothing: () => 'A stated bond needs a vault, an owner and an amount.',
  StatedBonds_OfTheFuture: (a) => `Statement ${a.index} is of ${time(a.statedAt)}, which is still to come.`,
  StatedBonds_Stale: (a) =>
    `The bond elsewhere was stated at ${time(a.statedAt)}, before ${time(a.notBefore)}. Keepers must state it anew.`,
  StatedBonds_NotNewer: (a) => `A statement of ${time(a.newest)} is recorded already, at least as new as this one.`,
  StatedBonds_NoQuorum: (a) => `Statements of ${a.signers} keepers are no quorum.`,
  StatedBonds_OtherRental: () =>
    'The bond elsewhere was stated for another rental of the machine. Its miner must have it stated anew.',
  StatedBonds_TooShort: (a) =>
    `The bond elsewhere may leave at ${time(a.until)}; it must stay until ${time(a.wanted)}. Rent for a shorter time.`,
  StatedBonds_NotEnough: (a) => `Of the bond elsewhere ${tao(a.left)} is left, and ${tao(a.wanted)} is needed.`,
}

/** By the error's name. */
export const sentences: Readonly<Record<string, Sentence>> = {
  ...escrow,
  ...vault,
  ...arbiter,
  ...bids,
  ...keepers,
  ...shared,
}
