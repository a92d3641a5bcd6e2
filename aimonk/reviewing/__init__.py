"""Doubtful labels settled by people: which cells to ask about, a local page, and a journal of the answers."""
