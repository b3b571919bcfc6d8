"""Bills by camera: the dialog, the cameras behind it, and the pictures that it makes."""
