"""What goes on behind the screens: sending what waits, opening documents."""
