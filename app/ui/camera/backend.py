"""Prepares QtMultimedia. Import this before any other module that needs it.

The import takes some time and raises ImportError if a library of the system is missing, so nothing imports
this before a camera is wanted.
"""

import sys

from PySide6.QtCore import QCoreApplication, QLoggingCategory, Qt

__all__ = ["QtMultimedia"]

# It reports every optional library that it does not find, and its own version.
QLoggingCategory.setFilterRules("qt.multimedia.symbolsresolver*=false\nqt.multimedia.ffmpeg*.info=false")
if sys.platform == "linux":
    # Otherwise frames are converted with OpenGL. With the drivers of virtual machines that takes a second for
    # a large frame, gives wrong colours, and can end the program. The windows need no OpenGL.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ForceRasterWidgets)

from PySide6 import QtMultimedia  # noqa: E402 - the rules above hold while it is loaded
