"""What each command does, one story a file, read from top to bottom."""
