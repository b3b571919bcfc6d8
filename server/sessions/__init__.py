"""At which server a session is, and when it moves."""
