"""What was found, for people: figures, one HTML page, and tables in the terminal."""
