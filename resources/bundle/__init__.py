"""What makes the bundle: `python -m resources.bundle`, which is `make bundle`. Not part of the bundle."""
