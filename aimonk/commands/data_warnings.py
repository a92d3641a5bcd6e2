"""What a user should know of the data before believing any figure."""

from __future__ import annotations

from ..config import Config
from ..data.dataset import Dataset
from ..data.labels import MISSING
from ..data.split import Split, straddling
from ..data.suggest_groups import suggested_groups
from ..progress import LOGGER


def filled_in(dataset: Dataset, config: Config) -> tuple[str, ...]:
    """Say what becomes of labels that a model filled in, if there are some."""
    if dataset.filled is None:
        return ()
    count = int((dataset.filled != MISSING).sum())
    use = (
        f"training takes them with the weight {config.labels.filled_weight:g}"
        if config.labels.filled == "weigh"
        else "training leaves them out (labels.filled)"
    )
    return (f"{count:,} labels were filled in by a model: {use}, and no figure rests on them.",)


def warn_of_data(dataset: Dataset, plan: tuple[Split, ...], config: Config) -> None:
    """Warn of what a user should know of the data before believing any figure."""
    found = dataset.audit
    if found.missing:
        listed = ", ".join(found.missing[:5]) + (", ..." if len(found.missing) > 5 else "")
        LOGGER.warning("%d label rows have no image file and are left out: %s", len(found.missing), listed)
    if found.unreadable:
        name, why = found.unreadable[0]
        LOGGER.warning(
            "%d images cannot be read and are left out; the first is %s: %s", len(found.unreadable), name, why
        )
    if found.flat:
        listed = ", ".join(found.flat[:5]) + (", ..." if len(found.flat) > 5 else "")
        LOGGER.warning("%d images show one color only: %s", len(found.flat), listed)
    for attribute in dataset.unlearnable:
        LOGGER.warning("%r is left out: %s", attribute.name, attribute.reason)
    if dataset.table is not None and (suggested := suggested_groups(dataset.table)) is not None:
        LOGGER.warning("%s", suggested.sentence())
    if len(plan) == 1:
        _warn_of_what_is_not_trained(dataset, plan[0])
    copies = straddling(dataset.groups, *plan[0].parts().values()) if len(plan) == 1 else 0
    if copies:
        LOGGER.warning(
            "%d groups of images are in several sets, which flatters the scores; use split.kind=grouped",
            copies,
        )
    if dataset.split is not None and config.split.kind != "column":
        LOGGER.warning("The labels' column of sets is not used; set split.kind=column to use it")


def _warn_of_what_is_not_trained(dataset: Dataset, split: Split) -> None:
    """A predefined split may keep all images of a class out of the training, such as the defects."""
    for value, word in ((1, "present"), (0, "absent")):
        there = (dataset.targets[split.train] == value).any(axis=0)
        lacking = [repr(name) for name, found in zip(dataset.attributes, there, strict=True) if not found]
        if lacking:
            listed = ", ".join(lacking[:5]) + (", ..." if len(lacking) > 5 else "")
            LOGGER.warning(
                "No image of the training set is labeled %s for %s, so nothing is learned of it; "
                "use split.kind=grouped for a split of aimonk's own",
                word,
                listed,
            )
