"""The rate limit on wrong passwords. Pure: the clock is an argument. The memory it uses is bounded.

Attempts come from strangers, or from devices that prove that they have logged in to the account before. The
two have separate allowances, so that guessers use up their own and cannot lock out the owner.

An attempt is charged before the password is verified, so that concurrent attempts cannot exceed the limit. It
is given back if the password was right.
"""

import ipaddress
import math
from dataclasses import dataclass
from typing import Final

_HOUR: Final = 3_600.0
_MAX_KEYS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """Allows `burst` attempts at once and then `hourly` per hour, so at most their sum in any hour."""

    burst: float
    hourly: float

    def shared_by(self, servers: int) -> "Allowance":
        """Return the part of one of `servers` servers. Each part allows at least one attempt."""
        return Allowance(max(1.0, self.burst / servers), self.hourly / servers)


# For one account, all strangers together and all known devices together: at most 95 attempts an hour.
STRANGERS: Final = Allowance(20, 40)
KNOWN_DEVICES: Final = Allowance(20, 15)
# For one known device of one account, and for one address over all accounts.
KNOWN_DEVICE: Final = Allowance(10, 20)
ADDRESS: Final = Allowance(50, 200)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to log in to an account.

    `account` is derived from the given name, whether somebody has that name or not. `device` is the id of a
    device that proved an earlier log-in to this account, or None for a stranger. `address` comes from
    `address_key`; "" is not limited.
    """

    account: bytes
    address: str = ""
    device: bytes | None = None


class Throttle:
    """Limits the attempts at one of `servers` servers. Times are in seconds, on any clock."""

    def __init__(self, servers: int = 1, max_keys: int = _MAX_KEYS) -> None:
        self._strangers = _Debts(STRANGERS.shared_by(servers), max_keys)
        self._device = _Debts(KNOWN_DEVICE.shared_by(servers), max_keys)
        self._devices = _Debts(KNOWN_DEVICES.shared_by(servers), max_keys)
        self._addresses = _Debts(ADDRESS.shared_by(servers), max_keys)

    def share_by(self, servers: int) -> None:
        """Change the number of servers. Attempts that were charged stay charged."""
        self._strangers.allow(STRANGERS.shared_by(servers))
        self._device.allow(KNOWN_DEVICE.shared_by(servers))
        self._devices.allow(KNOWN_DEVICES.shared_by(servers))
        self._addresses.allow(ADDRESS.shared_by(servers))

    def wait(self, attempt: Attempt, now: float) -> float:
        """Return the seconds until one more attempt is allowed; 0 if it is allowed now."""
        return max(debts.wait(key, now) for debts, key in self._charged_to(attempt))

    def admit(self, attempt: Attempt, now: float) -> float:
        """Charge the attempt and return 0, or charge nothing and return the seconds to wait."""
        if (wait := self.wait(attempt, now)) > 0:
            return wait
        for debts, key in self._charged_to(attempt):
            debts.add(key, 1, now)
        return 0.0

    def succeeded(self, attempt: Attempt, now: float) -> None:
        """Give back an admitted attempt whose password was right, and reset the limit of a known device."""
        # The limits of strangers and of all devices together are not reset: a log-in of the owner must not
        # give a guesser new attempts.
        for debts, key in self._charged_to(attempt):
            debts.add(key, -1, now)
        if attempt.device is not None:
            self._device.clear(attempt.account + attempt.device)

    def __len__(self) -> int:
        """Return the number of keys in memory."""
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
    """Return the key under which a caller's address is limited, or "" if it is not limited.

    Loopback is not limited: it is the program on this computer, or a proxy that does not pass the address on.
    """
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:  # what a proxy on this computer passed on is no address; so it is not known
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        # A customer usually gets a whole /64 network, so all of its addresses count as one.
        if address.ipv4_mapped is None:
            return "" if address.is_loopback else str(ipaddress.ip_network((int(address), 64), strict=False))
        address = address.ipv4_mapped
    return "" if address.is_loopback else str(address)


class _Debts:
    """A leaky bucket for each key: attempts fill it up to the burst of the allowance, time empties it."""

    def __init__(self, allowance: Allowance, max_keys: int) -> None:
        self.allow(allowance)
        self._max_keys = max_keys
        self._owed: dict[bytes, tuple[float, float]] = {}

    def allow(self, allowance: Allowance) -> None:
        """Use this allowance from now on."""
        self._burst = allowance.burst
        self._rate = allowance.hourly / _HOUR

    def __len__(self) -> int:
        return len(self._owed)

    def wait(self, key: bytes, now: float) -> float:
        """Return the seconds until one more attempt is allowed; 0 if it is allowed now."""
        # Rounded, so that after exactly this wait a floating-point error does not refuse the attempt again.
        return max(0.0, round((self._debt(key, now) + 1 - self._burst) / self._rate, 3))

    def add(self, key: bytes, amount: int, now: float) -> None:
        """Charge `amount` attempts, or give them back if it is negative."""
        debt = max(0.0, self._debt(key, now) + amount)
        if debt == 0:
            self.clear(key)
            return
        if key not in self._owed and len(self._owed) >= self._max_keys:
            self._make_room(now)
        self._owed[key] = (debt, now)

    def clear(self, key: bytes) -> None:
        """Forget the attempts of a key."""
        self._owed.pop(key, None)

    def _debt(self, key: bytes, now: float) -> float:
        debt, since = self._owed.get(key, (0.0, now))
        # The clock was set back. The debt must shrink from now on, not only once the old time is reached.
        if now < since:
            self._owed[key] = (debt, now)
            return debt
        return max(0.0, debt - (now - since) * self._rate)

    def _make_room(self, now: float) -> None:
        """Drop the keys with the smallest debts."""
        # The largest stay: a flood of attempts on invented names must not erase those on a real account.
        owed = sorted(((self._debt(key, now), key) for key in self._owed), reverse=True)
        kept = owed[: math.ceil(self._max_keys * 0.75)]
        self._owed = {key: (debt, now) for debt, key in kept if debt > 0}
