"""What this computer keeps: the outbox, the bills, settings, and the last entries seen. No Qt."""
