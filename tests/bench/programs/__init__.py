"""What the rows start as processes of their own; each prints one JSON line and ends."""
