"""The colors of every page, figure and table: one accent, one warning color, and grays.

Blue and orange stay apart for the common color vision deficiencies. Color is never the only signal:
verdicts also differ by word and by the shape of their mark.
"""

from __future__ import annotations

from ...evaluation.evidence import Verdict

PAPER = "#ffffff"
INK = "#1c2126"
MUTED = "#626c75"
FAINT = "#a3abb2"
RULE = "#e3e6e8"
WASH = "#f5f7f8"
ACCENT = "#11617f"
ACCENT_SOFT = "#a9cbd8"
ACCENT_WASH = "#e9f2f5"
WARN = "#bf4d16"
WARN_WASH = "#fcf1ea"

VERDICT_COLORS = {Verdict.LEARNED: ACCENT, Verdict.NO_EVIDENCE: WARN, Verdict.TOO_FEW: FAINT}
VERDICT_MARKS = {Verdict.LEARNED: "●", Verdict.NO_EVIDENCE: "○", Verdict.TOO_FEW: "–"}


def css_variables() -> dict[str, str]:
    """`{"accent-soft": "#a9cbd8", ...}` for the style sheet's `:root`."""
    return {
        name.lower().replace("_", "-"): value
        for name, value in globals().items()
        if isinstance(value, str) and value.startswith("#")
    }
