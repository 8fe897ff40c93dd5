"""Runs rent.py against the live market of `surety-demo --keep`, whose facts are in the file SURETY_HOUSE.

The chain is asked afterwards: what was rented, by whom, for how much. And an error of a contract must come by name.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from eth_account import Account
from rent import Refused, open_house, packed, quote, rent, ssh_key

HERE = Path(__file__).resolve().parent
SECS = 60
LIMIT_SECS = 60

house_facts = json.loads(Path(os.environ["SURETY_HOUSE"]).read_text())
keys = Path(house_facts["keys"])
machine_hex = house_facts["machines"][1]["machine"]
machine = bytes.fromhex(machine_hex[2:])
environment = {
    **os.environ,
    "SURETY_RPC": house_facts["rpc"],
    "SURETY_DEPLOYMENT": house_facts["deployment"],
    "SURETY_KEEPER": house_facts["page"],
    "SURETY_KEY_FILE": str(keys / "renter-2.key"),
}


def run(*arguments: str) -> str:
    """The program as a person runs it."""
    command = [sys.executable, str(HERE / "rent.py"), *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=120).stdout


def until_listed() -> None:
    """A keeper lists what it has read: until the machine is among what is free."""
    deadline = time.monotonic() + LIMIT_SECS
    while machine_hex not in (listed := run()):
        assert time.monotonic() < deadline, f"{machine_hex} is not free: {listed}"
        time.sleep(1)


def refusal(act) -> str:  # noqa: ANN001
    """What it is refused with."""
    try:
        act()
    except Refused as why:
        return str(why)
    raise AssertionError("it was not refused")


def main() -> None:
    house = open_house(house_facts["rpc"], Path(house_facts["deployment"]))
    renter = Account.from_key((keys / "renter-2.key").read_text().strip())
    public_key = keys / "renter-2.ssh.pub"
    until_listed()
    wanted = quote(house, machine, SECS)
    assert wanted.cost_rao == wanted.price_rao_per_sec * SECS and wanted.bond_free_rao >= wanted.bond_needed_rao
    dear = ("--machine", machine_hex, "--secs", str(SECS), "--ssh-key", str(public_key))
    # Nobody pays more than was allowed.
    assert "more than the" in refusal(lambda: rent(house, renter, machine, SECS, ssh_key(public_key.read_text()), 1))
    said = run(*dear, "--cost-max-rao", str(wanted.cost_rao))
    rental_id = int(said.split()[-1])
    rental, key = house["escrow"].functions.rentalAt(rental_id).call()
    assert rental[0] == renter.address and key == ssh_key(public_key.read_text()), said
    # The machine is rented now: the contract says no, and why.
    again = refusal(lambda: rent(house, renter, machine, SECS, key, wanted.cost_rao))
    assert "RentalEscrow_NotReady" in again and "readyAt" in again, again
    # What the contracts would not take is not even sent.
    high = {"gpu_class": 1, "gpu_count": 1, "measured_at_secs": 1, "evidence": "0x00", "machine": "", "registration": 1}
    assert "signature" in refusal(lambda: packed(high, "0x" + "00" * 32 + "ff" * 32 + "1b"))
    assert "ed25519" in refusal(lambda: ssh_key("ssh-rsa AAAAB3NzaC1yc2E="))
    print(f"rental {rental_id} of {machine_hex[:10]} for {SECS} s costs {wanted.cost_rao} rao; again: {again}")


if __name__ == "__main__":
    main()
