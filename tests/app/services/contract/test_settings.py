"""Small texts that outlast the program."""

from tests.app.services.contract.stages import Desk


def test_a_setting_has_the_value_set_last(desk: Desk) -> None:
    assert desk.settings.get("theme") == ""
    assert desk.settings.get("theme", "light") == "light"
    desk.settings.set("theme", "dark")
    desk.settings.set("theme", "darker")
    assert desk.settings.get("theme", "light") == "darker"
    desk.settings.set("empty", "")
    assert desk.settings.get("empty", "full") == ""


def test_settings_survive_a_restart_and_belong_to_one_installation(desk: Desk) -> None:
    desk.settings.set("theme", "dark")
    desk.restart()
    assert desk.settings.get("theme") == "dark"
    assert desk.stage.desk().settings.get("theme") == ""
