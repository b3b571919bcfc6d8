"""The model of the listing: pages of the server's entries, merged with unconfirmed ones."""
