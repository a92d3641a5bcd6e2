"""Model packages: written, loaded, served, and used for scoring."""
