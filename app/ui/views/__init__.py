"""The views: log-in, Add Entry, editing, the listing with its details, the outbox, and the sidebar."""
