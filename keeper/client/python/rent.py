"""Looks at the market, quotes a machine and rents it: the read API of one keeper, and the contracts through web3.py.

The deployment file and the RPC endpoint are believed. A keeper's API finds machines and no more: price, bond and
keepers are read from the contracts; certificates count by their signatures. Whole rao (1 TAO = 1e9 rao), Unix seconds.
Set SURETY_RPC, SURETY_DEPLOYMENT, SURETY_KEEPER (a URL), SURETY_KEY_FILE (a file with the renter's secret in hex)."""

import argparse
import base64
import json
import os
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError

WEI_PER_RAO = 10**9
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
ASK_SECS, ANSWER_BYTES_MAX, KEEPERS_MAX, CERTIFICATES_MAX = 6, 4 * 1024 * 1024, 64, 16
ARTIFACTS = Path(__file__).resolve().parents[3] / "contracts" / "artifacts"
House = dict[str, Contract]
Packed = tuple[int, int, int, bytes, bytes, bytes]
NAMES = {"vault": "CollateralVault", "escrow": "RentalEscrow", "keepers": "AppointedKeepers"}
FIELDS = [("machine", "bytes32", "machine"), ("registration", "uint32", "registration"),
          ("gpuClass", "uint16", "gpu_class"), ("gpuCount", "uint16", "gpu_count"),
          ("measuredAt", "uint32", "measured_at_secs"), ("evidence", "bytes32", "evidence")]


class Refused(Exception):
    """Something does not let the rental be made; the text says what, and what was expected."""


class Quote(NamedTuple):
    """What a rental costs and needs, from the contracts."""

    price_rao_per_sec: int
    cost_rao: int
    bond_needed_rao: int
    bond_free_rao: int
    gpu_class: int
    gpu_count: int
    registration: int
    offer_hash: bytes
    not_before_secs: int


def abi_of(contract: str) -> list[dict[str, Any]]:
    """The ABI that is committed beside the bytecode."""
    return json.loads((ARTIFACTS / f"{contract}.json").read_text())["abi"]


def open_house(rpc: str, deployment: Path) -> House:
    """Refuses an endpoint that is on another chain than the deployment."""
    w3, file = Web3(Web3.HTTPProvider(rpc, request_kwargs={"timeout": 20})), json.loads(deployment.read_text())
    if w3.eth.chain_id != file["chain_id"]:
        raise Refused(f"the endpoint is on chain {w3.eth.chain_id}, the deployment on {file['chain_id']}")
    at = {name: Web3.to_checksum_address(file[name]["address"]) for name in NAMES}
    return {name: w3.eth.contract(at[name], abi=abi_of(NAMES[name])) for name in NAMES}


def ask(base: str, path: str) -> Any:
    """GET as JSON, bounded in time and bytes; http and https only."""
    if not base.startswith(("http://", "https://")):
        raise Refused("its address is no http or https URL")
    with urllib.request.urlopen(base.rstrip("/") + path, timeout=ASK_SECS) as answer:
        body = answer.read(ANSWER_BYTES_MAX + 1)
    if len(body) > ANSWER_BYTES_MAX:
        raise Refused(f"{path} answers more than {ANSWER_BYTES_MAX} bytes")
    return json.loads(body)


def market(keeper: str, **query: str | int) -> list[dict[str, Any]]:
    """Machines as a keeper lists them; the query is that of /v1/market."""
    asked = {"availability": "free", "sort": "gpu_price", "limit": 100, **query}
    return ask(keeper, f"/v1/market?{urllib.parse.urlencode(asked)}")["machines"]


def quote(house: House, machine: bytes, secs: int) -> Quote:
    """Price, bond and offer as the contracts have them now."""
    escrow, vault = house["escrow"].functions, house["vault"].functions
    (price, _, _, gpu_class, gpu_count, _, _), offer_hash, last_rental = escrow.offerOf(machine).call()
    try:
        cost, needed = escrow.quote(machine, secs).call()
    except ContractCustomError as error:
        raise Refused(f"the contracts refuse: {named(house, error)}") from error
    (registration, _miner), (*_, free) = vault.ownerOf(machine).call(), vault.bondOf(machine).call()
    # Certificates serve that are younger than their life, and than the end of the last rental.
    oldest = house["escrow"].w3.eth.get_block("latest")["timestamp"] - escrow.CERTIFICATE_LIFE_SECS().call()
    vacated = escrow.rentalAt(last_rental).call()[0][6] if last_rental else 0
    return Quote(price, cost, needed, free, gpu_class, gpu_count, registration, offer_hash, max(oldest, vacated))


def signer_of(house: House, statement: dict[str, Any], signature: str) -> str:
    """Whose signature it is (EIP-712, made for the escrow)."""
    message = {name: statement[said] for name, _, said in FIELDS}
    domain = {"name": "Surety", "version": "1", "chainId": house["escrow"].w3.eth.chain_id,
              "verifyingContract": house["escrow"].address}
    types = {"Certificate": [{"name": name, "type": kind} for name, kind, _ in FIELDS]}
    return Account.recover_message(encode_typed_data(domain, types, message), signature=signature)


def packed(statement: dict[str, Any], signature: str) -> Packed:
    """A certificate as `rent` takes it: the signature in 64 bytes (EIP-2098), s in the lower half."""
    raw = bytes.fromhex(signature.removeprefix("0x"))
    r, s, v = raw[:32], int.from_bytes(raw[32:64]), raw[64]
    if len(raw) != 65 or s > HALF_ORDER or v not in (27, 28):
        raise Refused("a signature is not one that the contracts take")
    _, _, gpu_class, gpu_count, measured_at, evidence = (statement[said] for _, _, said in FIELDS)
    vs = (s | (v - 27) << 255).to_bytes(32)
    return gpu_class, gpu_count, measured_at, bytes.fromhex(evidence.removeprefix("0x")), r, vs


def certificates(house: House, machine: bytes, wanted: Quote) -> list[Packed]:
    """The newest fitting certificate of each active keeper, sorted by signer; who does not answer is left out."""
    seats = house["keepers"].functions
    seated = [seats.keeperAt(n).call() for n in range(min(seats.keeperCount().call(), KEEPERS_MAX))]
    active = {account: url for account, _weight, active, _ssh_key, url in seated if active}
    newest: dict[str, Packed] = {}
    for url in active.values():
        try:
            for one in ask(url, f"/v1/certificates/0x{machine.hex()}")["certificates"][:CERTIFICATES_MAX]:
                said, entry = one["statement"], packed(one["statement"], one["signature"])
                about = said["machine"], said["registration"], said["gpu_class"]
                fits = about == (f"0x{machine.hex()}", wanted.registration, wanted.gpu_class)
                signer, oldest = signer_of(house, said, one["signature"]), wanted.not_before_secs
                if fits and signer in active and entry[2] >= newest.get(signer, (0, 0, oldest))[2]:
                    newest[signer] = entry
        except Exception as why:  # Whatever a stranger sends, the others are asked.
            print(f"a keeper's certificates are left out: {why!r}", file=sys.stderr)
    return [newest[signer] for signer in sorted(newest, key=lambda signer: int(signer, 16))]


def named(house: House, error: ContractCustomError) -> str:
    """A contract's error by its name and what it says; contracts revert with the errors of those they call, too."""
    data = bytes.fromhex(str(error.data).removeprefix("0x"))
    for entry in (entry for path in sorted(ARTIFACTS.glob("*.json")) for entry in abi_of(path.stem)):
        kinds = [given["type"] for given in entry.get("inputs", [])]
        if entry["type"] == "error" and Web3.keccak(text=f"{entry['name']}({','.join(kinds)})")[:4] == data[:4]:
            said = zip(entry["inputs"], house["escrow"].w3.codec.decode(kinds, data[4:]))
            text = (f"{given['name']} {v.hex() if isinstance(v, bytes) else v}" for given, v in said)
            return f"{entry['name']}: {', '.join(text)}"
    return f"an error that no ABI names: 0x{data[:4].hex()}"


def ssh_key(line: str) -> bytes:
    """The 32 bytes of an `ssh-ed25519 AAAA...` line."""
    blob = base64.b64decode(line.split()[1]) if line.startswith("ssh-ed25519 ") else b""
    if len(blob) != 51 or blob[:19] != b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20":
        raise Refused("machines take ed25519 keys only: a line that begins with ssh-ed25519 AAAA")
    return blob[19:]


def rent(house: House, renter: LocalAccount, machine: bytes, secs: int, key: bytes, cost_max_rao: int) -> int:
    """Rents for `secs` and pays exactly the quote; says which rental it is. Nothing is sent that would be refused."""
    eth, agreed = house["escrow"].w3.eth, quote(house, machine, secs)
    if agreed.cost_rao > cost_max_rao:
        raise Refused(f"it costs {agreed.cost_rao} rao, more than the {cost_max_rao} that were allowed")
    call = house["escrow"].functions.rent(machine, secs, key, agreed.offer_hash, certificates(house, machine, agreed))
    paying = {"from": renter.address, "value": agreed.cost_rao * WEI_PER_RAO}
    try:
        call.call(paying)
        paying["nonce"] = eth.get_transaction_count(renter.address)
        # What it takes depends on the block that has it: a quarter more than the estimate; what is not used is not paid.
        paying["gas"] = call.estimate_gas(paying) * 5 // 4
        signed = renter.sign_transaction(call.build_transaction(paying))
    except ContractCustomError as error:
        raise Refused(f"the contracts refuse: {named(house, error)}") from error
    receipt = eth.wait_for_transaction_receipt(eth.send_raw_transaction(signed.raw_transaction), timeout=120)
    if receipt["status"] != 1:
        raise Refused(f"transaction {receipt['transactionHash'].hex()} is in a block, but the contracts refused it")
    # Logs can be missing on this chain: the offer names its last rental.
    return house["escrow"].functions.offerOf(machine).call()[2]


def main() -> None:
    parser = argparse.ArgumentParser(description="Lists the market; with --machine quotes; with --ssh-key rents.")
    parser.add_argument("--machine", help="32 bytes in hex; none: the market is listed")
    parser.add_argument("--secs", type=int, default=3_600, help="how long (%(default)s)")
    parser.add_argument("--ssh-key", type=Path, help="a .pub file: rent, and not only quote")
    parser.add_argument("--cost-max-rao", type=int, default=0, help="the most it may cost")
    given = parser.parse_args()
    if given.machine is None:
        for row in market(os.environ["SURETY_KEEPER"]):
            print(row["machine"], row["class_name"], row["offer"]["gpu_count"], row["offer"]["price_rao_per_sec"])
        return
    house = open_house(os.environ["SURETY_RPC"], Path(os.environ["SURETY_DEPLOYMENT"]))
    machine = bytes.fromhex(given.machine.removeprefix("0x"))
    print(quote(house, machine, given.secs))
    if given.ssh_key:
        key, secret = ssh_key(given.ssh_key.read_text()), Path(os.environ["SURETY_KEY_FILE"]).read_text().strip()
        print("rental", rent(house, Account.from_key(secret), machine, given.secs, key, given.cost_max_rao))


if __name__ == "__main__":
    try:
        main()
    except (Refused, KeyError, OSError, ValueError) as why:
        sys.exit(f"error: {why}")
