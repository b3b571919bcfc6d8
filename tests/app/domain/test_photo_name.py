"""Names of pictures of the camera."""

from datetime import UTC, datetime

from app.domain.file_names import clean_name, name_to_save
from app.domain.photo_name import photo_name

MOMENT = datetime(2026, 11, 29, 14, 3, 7, tzinfo=UTC)


def test_a_photo_is_named_by_its_time() -> None:
    assert photo_name(MOMENT, ()) == "Photo 2026-11-29 14.03.07.jpg"


def test_two_photos_of_one_moment_have_two_names() -> None:
    names: set[str] = set()
    for _ in range(3):
        names.add(photo_name(MOMENT, names))
    stem = "Photo 2026-11-29 14.03.07"
    assert names == {f"{stem}.jpg", f"{stem} (2).jpg", f"{stem} (3).jpg"}


def test_every_system_can_write_the_name() -> None:
    name = photo_name(MOMENT, {photo_name(MOMENT, ())})
    assert clean_name(name, "image/jpeg") == name
    assert name_to_save(name, ".jpg") == name
