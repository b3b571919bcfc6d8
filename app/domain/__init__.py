"""What the desk knows of money, dates, codes and entries: pure, without I/O; clocks are passed in."""
