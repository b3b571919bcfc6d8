"""What the table shows: pages of entries with the waiting ones laid over."""
