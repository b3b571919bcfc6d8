"""The screens: login, Add Entry, the listing with its details, the sidebar."""
