"""Controllers: the logic behind the windows, such as showing the sync status and opening bills."""
