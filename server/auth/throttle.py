"""How many wrong passwords are too many. Pure: the clock is an argument, memory is bounded.

A password is tried either by a stranger or by a device that has logged in to this account before and
proves it. The two draw from different allowances, so that guessers use up their own and never the
owner's: nobody can lock a user out. An attempt is charged before the password is looked at (of a
thousand at once, no more get through than of a thousand in a row), and given back where it was right.
"""

import ipaddress
import math
from dataclasses import dataclass
from typing import Final

_HOUR: Final = 3_600.0
_MOST_KEYS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """`burst` attempts at once, then `hourly` an hour: at most their sum in any hour."""

    burst: float
    hourly: float

    def shared_by(self, servers: int) -> "Allowance":
        """Return one server's part of the cluster's; every server lets at least one attempt through."""
        return Allowance(max(1.0, self.burst / servers), self.hourly / servers)


# For one account the first and the third add up to 95 an hour, over all addresses and devices.
STRANGERS: Final = Allowance(20, 40)
KNOWN_DEVICE: Final = Allowance(10, 20)
KNOWN_DEVICES: Final = Allowance(20, 15)
ADDRESS: Final = Allowance(50, 200)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One password for one account.

    `account` is made from the name that was given, whether somebody has it or not. `device` names a device
    that proved that it logged in to this account before; None is a stranger. `address` is what
    `address_key` made; "" is not counted.
    """

    account: bytes
    address: str = ""
    device: bytes | None = None


class Throttle:
    """Counts the attempts of one server among `servers`. Times are seconds on any clock that goes on."""

    def __init__(self, servers: int = 1, most_keys: int = _MOST_KEYS) -> None:
        self._strangers = _Debts(STRANGERS.shared_by(servers), most_keys)
        self._device = _Debts(KNOWN_DEVICE.shared_by(servers), most_keys)
        self._devices = _Debts(KNOWN_DEVICES.shared_by(servers), most_keys)
        self._addresses = _Debts(ADDRESS.shared_by(servers), most_keys)

    def share_by(self, servers: int) -> None:
        """Be one of another number of servers from now on; what is owed stays owed."""
        self._strangers.allow(STRANGERS.shared_by(servers))
        self._device.allow(KNOWN_DEVICE.shared_by(servers))
        self._devices.allow(KNOWN_DEVICES.shared_by(servers))
        self._addresses.allow(ADDRESS.shared_by(servers))

    def admit(self, attempt: Attempt, now: float) -> float:
        """Charge the attempt and return 0; or return how many seconds to wait, charging nothing."""
        charged = self._charged_to(attempt)
        wait = max(debts.wait(key, now) for debts, key in charged)
        if wait > 0:
            return wait
        for debts, key in charged:
            debts.add(key, 1, now)
        return 0.0

    def succeeded(self, attempt: Attempt, now: float) -> None:
        """Give back an admitted attempt whose password was right; a known device begins anew.

        What strangers and the account's devices together have spent stays spent: a log-in of the owner must
        not hand a guesser new tries.
        """
        for debts, key in self._charged_to(attempt):
            debts.add(key, -1, now)
        if attempt.device is not None:
            self._device.clear(attempt.account + attempt.device)

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return sum(len(d) for d in (self._strangers, self._device, self._devices, self._addresses))

    def _charged_to(self, attempt: Attempt) -> list[tuple["_Debts", bytes]]:
        if attempt.device is not None:
            return [
                (self._device, attempt.account + attempt.device),
                (self._devices, attempt.account),
            ]
        charged = [(self._strangers, attempt.account)]
        if attempt.address:
            charged.append((self._addresses, attempt.address.encode()))
        return charged


def address_key(host: str | None) -> str:
    """Return what stands for the caller's address: an IPv6 network of one customer (/64) counts as one.

    "" for loopback: that is this computer's own program, or a proxy that did not say for whom it calls.
    """
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return (host or "")[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return "" if address.is_loopback else str(ipaddress.ip_network((int(address), 64), strict=False))
        address = address.ipv4_mapped
    return "" if address.is_loopback else str(address)


class _Debts:
    """What each key owes; a debt shrinks with time and stops at the allowance's burst."""

    def __init__(self, allowance: Allowance, most: int) -> None:
        self.allow(allowance)
        self._most = most
        self._owed: dict[bytes, tuple[float, float]] = {}

    def allow(self, allowance: Allowance) -> None:
        """Count by this allowance from now on."""
        self._burst = allowance.burst
        self._rate = allowance.hourly / _HOUR

    def __len__(self) -> int:
        return len(self._owed)

    def wait(self, key: bytes, now: float) -> float:
        """Return the seconds until one more fits in, 0 where it does now."""
        # Rounded: after exactly the wait that was named, a hair of floating point must not refuse again.
        return max(0.0, round((self._debt(key, now) + 1 - self._burst) / self._rate, 3))

    def add(self, key: bytes, amount: int, now: float) -> None:
        """Charge, or give back."""
        debt = max(0.0, self._debt(key, now) + amount)
        if debt == 0:
            self.clear(key)
            return
        if key not in self._owed and len(self._owed) >= self._most:
            self._make_room(now)
        self._owed[key] = (debt, now)

    def clear(self, key: bytes) -> None:
        """Forget what is owed."""
        self._owed.pop(key, None)

    def _debt(self, key: bytes, now: float) -> float:
        debt, since = self._owed.get(key, (0.0, now))
        if now < since:  # the clock was set back: what is owed shrinks from here, not from that later time
            self._owed[key] = (debt, now)
            return debt
        return max(0.0, debt - (now - since) * self._rate)

    def _make_room(self, now: float) -> None:
        """Keep who owes most: a flood of other names must not wipe out what a guessed account owes."""
        owed = sorted(((self._debt(key, now), key) for key in self._owed), reverse=True)
        kept = owed[: math.ceil(self._most * 0.75)]
        self._owed = {key: (debt, now) for debt, key in kept if debt > 0}
