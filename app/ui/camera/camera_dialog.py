"""The dialog that photographs bills: the live picture, the shot that is looked at, and the shots so far."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.bounds import MAX_DOCUMENTS
from app.domain.photo_name import photo_name
from app.ui.bounds import count_text
from app.ui.camera.camera_choice import CameraChoice
from app.ui.camera.camera_foot import CameraFoot, CameraStep
from app.ui.camera.camera_line import CameraLine
from app.ui.camera.crop_editor import CropEditor
from app.ui.camera.live_picture import LivePicture
from app.ui.camera.shot_strip import ShotStrip
from app.ui.camera.shots import Shots
from app.ui.camera.trouble import trouble_text
from app.ui.camera.trouble_page import TroublePage
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks
from app.ui.widgets.banner import Banner
from app.ui.widgets.pieces import is_enter, label

if TYPE_CHECKING:
    from app.services import Services

_SIZE: Final = QSize(920, 720)
"""As large as the window allows: the larger the picture, the easier are the corners to place."""
_LIVE: Final = "Lay the bill flat, in good light, and let it fill the picture."
_REVIEW: Final = "Drag the corners to the edges of the bill. Bahi cuts it out and straightens it."
_FULL: Final = f"An entry can have at most {MAX_DOCUMENTS} bills. Add these, or remove one."


class CameraDialog(QDialog):
    """Takes pictures of bills.

    `taken` carries a tuple of Shot to attach. `files_wanted` is emitted when the user wants to choose files
    instead. `room` is how many bills the entry can still take, and `names` are the file names that it has.
    """

    taken = Signal(object)
    files_wanted = Signal()

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        desktop: Desktop,
        room: int,
        names: Collection[str],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("camera_dialog")
        self.setWindowTitle("Photograph bills")
        self._desktop = desktop
        self._room = room
        self._names = frozenset(names)
        self._adding = self._files_next = self._begun = False
        self._line = CameraLine(desktop.cameras, services, self)
        self._shots = Shots(tasks, self)
        self._build(parent)
        self._connect()
        self._show_step()

    def _build(self, parent: QWidget) -> None:
        self.choice = CameraChoice()
        self.live, self.crop, self.trouble = LivePicture(), CropEditor(), TroublePage()
        self.pages = QStackedWidget()
        for page in (self.live, self.crop, self.trouble):
            self.pages.addWidget(page)
        self.hint = label("", "muted", "camera_hint", wrap=True)
        self.banner = Banner("camera_banner")
        self.strip = ShotStrip()
        self.foot = CameraFoot()
        head = QHBoxLayout()
        head.addWidget(label("Photograph bills", "title"))
        head.addStretch(1)
        head.addWidget(self.choice)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.pages, 1)
        for part in (self.hint, self.banner, self.strip, self.foot):
            column.addWidget(part)
        self.live.wait("Starting the camera…")
        self.resize(_SIZE.boundedTo(parent.window().size()))

    def _connect(self) -> None:
        self._line.opened.connect(self._opened)
        self._line.pictured.connect(self._pictured)
        self._line.troubled.connect(self._troubled)
        self._line.listed.connect(self._show_devices)
        self.choice.picked.connect(self._line.pick)
        self.foot.capture_button.clicked.connect(self.capture)
        self.foot.retake_button.clicked.connect(self.retake)
        self.foot.use_button.clicked.connect(self.use)
        self.foot.turned.connect(self.crop.turn)
        self.foot.find_button.clicked.connect(self.crop.take_bill)
        self.foot.whole_button.clicked.connect(self.crop.take_whole)
        for cut in (self.foot.find_button, self.foot.whole_button):
            cut.clicked.connect(self._focus_main)  # Enter uses the picture next
        self.foot.add_button.clicked.connect(self.add)
        self.foot.cancel_button.clicked.connect(self.reject)
        self.trouble.again_wanted.connect(self._line.open)
        self.trouble.files_wanted.connect(self._choose_files)
        self.strip.removed.connect(self._remove)
        self._shots.made.connect(lambda number: self.strip.show_thumb(number, self._shots.thumb(number)))
        self._shots.failed.connect(self._shot_failed)
        self._shots.settled.connect(self._settled)

    # the camera

    def showEvent(self, event: QShowEvent) -> None:
        """Start the camera, after the dialog is painted: loading what it needs takes a moment."""
        super().showEvent(event)
        if not self._begun:
            self._begun = True
            QTimer.singleShot(0, self, self._line.open)

    def _opened(self) -> None:
        self.live.wait("Starting the camera…")
        self._show_devices()
        self._show_step()

    def _show_devices(self) -> None:
        self.choice.show_devices(self._line.devices(), self._line.device)

    def _pictured(self, picture: QImage) -> None:
        self.live.show_picture(picture)
        if self._step() is not CameraStep.LOOK:
            self._show_step()

    def _troubled(self, said: str) -> None:
        device, trouble = self._line.device, self._line.trouble
        if trouble is not None:
            self.trouble.say(trouble_text(trouble, device.name if device else ""), said)
        self.live.wait("")
        self._show_step()

    # taking pictures

    def capture(self) -> None:
        """Keep the picture that is shown, and let the user look at it."""
        if self.foot.capture_button.isEnabled():
            self.banner.hide()
            self.crop.open(self.live.picture)
            self._show_step()

    def retake(self) -> None:
        """Forget the picture that was looked at, and show the live one."""
        self.crop.close_shot()
        self._show_step()

    def use(self) -> None:
        """Make a bill of the picture that is looked at."""
        name = photo_name(self._desktop.there(), self._names | set(self._shots.names()))
        number = self._shots.add(self.crop.shot, self.crop.shape, name)
        self.strip.add(number, name)
        self.retake()

    def add(self) -> None:
        """Close the dialog and attach the pictures, as soon as all of them are made."""
        if self._shots.being_made:
            self._adding = True
            self._show_step()
            return
        shots, files_next = self._shots.all(), self._files_next
        self.accept()
        self.taken.emit(shots)
        if files_next:
            self.files_wanted.emit()

    def _remove(self, number: int) -> None:
        self.strip.remove(number)
        self._shots.remove(number)
        self._show_step()
        self._focus_main()  # the button of the picture is gone

    def _shot_failed(self, number: int, sentence: str) -> None:
        self._adding = self._files_next = False
        self.strip.remove(number)
        self.banner.say(sentence, "danger")
        self._show_step()

    def _settled(self) -> None:
        if self._adding:
            self.add()

    def _choose_files(self) -> None:
        """Close the dialog, keep the pictures so far, and let the user choose files."""
        self._files_next = True
        self.add()

    # what is shown

    def _step(self) -> CameraStep:
        if not self.crop.shot.isNull():
            return CameraStep.LOOK
        return CameraStep.TROUBLE if self._line.trouble is not None else CameraStep.LIVE

    def _show_step(self) -> None:
        step, count = self._step(), len(self._shots)
        full = count >= self._room
        can_capture = not full and not self._adding and not self.live.picture.isNull()
        found = self.crop.has_found
        changed = self.foot.show_step(
            step, count, found=found, can_capture=can_capture, full=full, adding=self._adding
        )
        page = {CameraStep.LOOK: self.crop, CameraStep.TROUBLE: self.trouble, CameraStep.LIVE: self.live}[
            step
        ]
        self.pages.setCurrentWidget(page)
        self.hint.setText(_REVIEW if step is CameraStep.LOOK else _FULL if full else _LIVE)
        self.hint.setVisible(step is not CameraStep.TROUBLE)
        if changed and self.isVisible():
            self._focus_main()

    def _focus_main(self) -> None:
        self._main_button().setFocus(Qt.FocusReason.OtherFocusReason)

    def _main_button(self) -> QWidget:
        if self._step() is CameraStep.TROUBLE:
            return self.trouble.again_button
        return self.foot.main_button()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Press the main button with Space and Enter, wherever the focus is; attach with Ctrl+Enter."""
        ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if ctrl and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._add_by_key()
        elif (event.key() == Qt.Key.Key_Space or is_enter(event)) and not event.isAutoRepeat():
            self.foot.main_button().click()
        else:
            super().keyPressEvent(event)

    def _add_by_key(self) -> None:
        if self._step() is CameraStep.LOOK:
            self.use()
        if len(self._shots) and not self._adding:
            self.add()

    # the end

    def reject(self) -> None:
        """Close the dialog. Ask first if pictures would be lost."""
        count = len(self._shots) + (not self.crop.shot.isNull())
        if count:
            question = f"Discard {count_text(count, 'picture', 'pictures')}?"
            explanation = "They are not attached to the entry yet."
            if count == 1:
                explanation = "It is not attached to the entry yet."
            if not self._desktop.confirm(self, question, explanation, "Discard", "Go back"):
                return
        super().reject()

    def done(self, result: int) -> None:
        """Let go of the camera, and close."""
        self._adding = False
        self._line.close()
        super().done(result)
