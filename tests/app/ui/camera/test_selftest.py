"""What the command that checks an installation checks of the camera, and the system's cameras without one."""

from PySide6.QtMultimedia import QMediaCaptureSession
from pytestqt.qtbot import QtBot

from app.ui.camera.selftest import frames_arrive
from app.ui.camera.source import CameraDevice
from app.ui.camera.system_cameras import SystemCameras, best_format


def test_frames_arrive_through_the_capture_session(qtbot: QtBot) -> None:
    assert frames_arrive(30.0)


def test_a_camera_that_was_unplugged_meanwhile_fails(qtbot: QtBot) -> None:
    cameras, told = SystemCameras(), []
    cameras.failed.connect(told.append)
    cameras.attach(QMediaCaptureSession(), CameraDevice("gone", "Gone"))
    assert told == [""]
    cameras.detach()


def test_the_largest_format_of_use_is_taken() -> None:
    slow, huge = (3840 * 2160, 1.0), (108_000_000, 30.0)
    assert best_format([(640 * 480, 30.0), (1920 * 1080, 15.0), (1920 * 1080, 30.0), slow, huge]) == 2
    assert best_format([slow, huge]) is None
    assert best_format([]) is None
