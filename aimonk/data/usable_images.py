"""How many of the images that the labels name can be used, and why the others cannot."""

from __future__ import annotations

import math
from pathlib import Path

from ..errors import ImagesError
from .label_audit import Audit
from .labels import LabelTable
from .match_images import MatchedImages, is_ambiguous


def too_many_unusable(found: Audit, share: float) -> bool:
    """Return whether no image can be used, or more than a share of those that the labels name cannot."""
    lost = found.rows - len(found.usable)
    return bool(lost) and (not len(found.usable) or lost / found.rows > share)


def refusal(found: Audit, share: float) -> str:
    """Return a sentence on a training that would refuse these images; empty if none would."""
    if not too_many_unusable(found, share):
        return ""
    lost = found.rows - len(found.usable)
    needed = math.ceil(100 * lost / found.rows) / 100
    return (
        f"`aimonk train` would refuse these files: {lost} of the {found.rows} images that the labels name "
        f"cannot be used, more than the share of {share:g}. Correct them, or give "
        f"--set data.max_unusable={needed:g}."
    )


def check_usable(folder: Path, table: LabelTable, found: Audit, matched: MatchedImages, share: float) -> None:
    """Raise ImagesError if too many of the images that the labels name cannot be used.

    Args:
        folder: Folder of images.
        table: The labels.
        found: The audit of both.
        matched: Why names have no file.
        share: Of the images that need not be usable.
    """
    if not too_many_unusable(found, share):
        return
    lost = found.rows - len(found.usable)
    problems = {name: matched.problems.get(name, "not there") for name in found.missing}
    problems |= dict(found.unreadable)
    ambiguous = [name for name, why in problems.items() if is_ambiguous(why)]
    if 2 * len(ambiguous) >= lost:
        raise _ambiguous(folder, table, found, ambiguous, problems)
    name, why = next((name, why) for name, why in problems.items() if not is_ambiguous(why))
    first = f"the first is {name!r}: {why.rstrip('.')}"
    if len(found.usable) == 0:
        raise ImagesError(
            f"None of the {found.rows} images that {table.source} names can be read in {folder}; {first}; "
            "check that --data is the folder the names are relative to, and that labels.image names the "
            "right column."
        )
    raise ImagesError(
        f"{lost} of the {found.rows} images that {table.source} names are missing from {folder} or "
        f"unreadable, more than the share of {share:g}; {first}; correct them, or raise the share with "
        "--set data.max_unusable."
    )


def _ambiguous(
    folder: Path, table: LabelTable, found: Audit, names: list[str], problems: dict[str, str]
) -> ImagesError:
    count = "1 is" if len(names) == 1 else f"{len(names)} are"
    return ImagesError(
        f"Of the {found.rows} image names in {table.source}, {count} ambiguous in {folder}: {names[0]!r} "
        f"{problems[names[0]]}; write the folder before the name."
    )
