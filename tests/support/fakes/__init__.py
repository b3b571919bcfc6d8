"""The services in memory, a module each: `tests/support/fake_services.py` puts them together."""
