"""The tour: the real program, driven as a person would, leaving pictures of what it showed."""
