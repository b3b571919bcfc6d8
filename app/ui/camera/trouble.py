"""Why there is no picture from a camera, and what the user can do."""

from dataclasses import dataclass
from enum import Enum, auto

from app.domain.file_names import shown_name


class CameraTrouble(Enum):
    """What went wrong."""

    NO_LIBRARY = auto()
    NO_CAMERA = auto()
    NOT_ALLOWED = auto()
    NOT_STARTED = auto()
    STOPPED = auto()
    UNPLUGGED = auto()
    SILENT = auto()


@dataclass(frozen=True, slots=True)
class TroubleText:
    """What happened, in a heading, and what to do."""

    heading: str
    advice: str


_TEXTS = {
    CameraTrouble.NO_LIBRARY: TroubleText(
        "Bahi cannot use cameras on this computer",
        "A part of the system is missing: the library libpulse. Install it and start Bahi again, or choose a "
        "picture that you took with another program.",
    ),
    CameraTrouble.NO_CAMERA: TroubleText(
        "No camera was found",
        "Plug a camera in, and Bahi will show its picture here. You can also take the picture with your "
        "phone, copy it to this computer, and choose the file.",
    ),
    CameraTrouble.NOT_ALLOWED: TroubleText(
        "Bahi is not allowed to use the camera",
        "Allow it in the privacy settings of your computer, then try again.",
    ),
    CameraTrouble.NOT_STARTED: TroubleText(
        "The camera {name} does not start",
        "Another program may be using it, for example a video call. Close that program, then try again.",
    ),
    CameraTrouble.STOPPED: TroubleText(
        "The camera {name} has stopped",
        "Another program may have taken it. Close that program, or unplug the camera and plug it in again; "
        "then try again.",
    ),
    CameraTrouble.UNPLUGGED: TroubleText(
        "The camera {name} was unplugged",
        "Plug it in again, and Bahi will go on. If you have another camera, press Try again to use that one.",
    ),
    CameraTrouble.SILENT: TroubleText(
        "The camera {name} sends no picture",
        "Unplug it and plug it in again, or close other programs that use it; then try again.",
    ),
}


def trouble_text(trouble: CameraTrouble, name: str) -> TroubleText:
    """Return the text about `trouble`; `name` is that of the camera."""
    text = _TEXTS[trouble]
    return TroubleText(text.heading.format(name=f"“{shown_name(name[:40])}”"), text.advice)
