"""What a command found out, as records: to print, to write as JSON, to read as a table."""
