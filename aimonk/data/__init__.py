"""Labels and images: read, audited, and divided into those to learn from and those to be tested on."""
