"""The name of an installation in the list of sessions: the computer and its system. Pure."""

from typing import Final

from app.domain.text import clean_text
from server.contract.limits import MAX_DEVICE_NAME

_JOINT: Final = " · "
_LONGEST_SYSTEM: Final = 30


def device_name(computer: str, system: str) -> str:
    """Return `counter-pc · Windows 11`, or only one of the two if the other is not known."""
    shown = clean_text(system)[:_LONGEST_SYSTEM].rstrip()
    room = MAX_DEVICE_NAME - len(_JOINT) - len(shown)
    name = clean_text(computer).replace(_JOINT, " ")[:room].rstrip()
    return _JOINT.join(part for part in (name, shown) if part)


def computer_of(name: str) -> str:
    """Return the computer in a device's name. An older program sent only that."""
    return name.partition(_JOINT)[0]
