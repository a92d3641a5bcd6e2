"""What travels inside a model and runs in a server. It imports nothing else of the package."""
