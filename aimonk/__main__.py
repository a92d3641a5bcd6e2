"""`python -m aimonk` is the command `aimonk`."""

from .cli import main

main()
