"""Rules about money, dates, codes and entries. Pure: no I/O; the clock and randomness are arguments."""
