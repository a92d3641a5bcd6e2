"""The model card: what a model is for, what it learned, and where it ends. Markdown, made from the record.

The sections follow Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019).
"""

from __future__ import annotations

from ..runtime.record import Attribute, PackageInfo

_READINGS = {
    "learned": "learned",
    "no evidence": "**no evidence; ignore it**",
    "too few": "**too few labels to tell; ignore it**",
    None: "**never evaluated**",
}


def model_card(info: PackageInfo) -> str:
    """Return the card of a package, as Markdown. It also serves as the registered version's description.

    >>> print(model_card(info).splitlines()[0])
    # Model card
    """
    sections = (
        ("Model card", _purpose(info)),
        ("Attributes", _attributes(info)),
        ("Trained on", _training(info)),
        ("Limits", _limits(info)),
        ("Privacy", _PRIVACY),
        ("Versions and licenses", _software(info)),
    )
    return "\n".join(
        f"{'##' if number else '#'} {title}\n\n{text}\n" for number, (title, text) in enumerate(sections)
    )


_PRIVACY = (
    "The package holds no image. `seen.json` holds the first 16 digits of the SHA-256 of every image file "
    "that the model was trained or tuned on: whoever has a file can find out whether it was among them. The "
    "training run's report shows some of the images, so it needs the same protection as the images do."
)


def _purpose(info: PackageInfo) -> str:
    trained = "a linear head on the frozen" if info.mode == "frozen" else "the whole fine-tuned"
    verdict = f" The verdict of its evaluation: {_cell(info.headline)}." if info.headline else ""
    return (
        "This model says of one photo at a time which attributes it shows, each with a probability. It is "
        f"meant for photos like those it was trained on.{verdict} It is {trained} backbone "
        f"{_cell(info.backbone)}, for images reduced to {info.input_size[0]} x {info.input_size[1]} pixels."
    )


def _attributes(info: PackageInfo) -> str:
    head = "| attribute | verdict | average precision | AUC | prevalence | present from |", "|---" * 6 + "|"
    return "\n".join((*head, *map(_row, info.attributes)))


def _row(attribute: Attribute) -> str:
    reading = _READINGS.get(attribute.verdict, _cell(str(attribute.verdict)))
    figures = (attribute.ap, attribute.auc, attribute.prevalence, attribute.threshold)
    shown = ("" if figure is None else f"{figure:.3g}" for figure in figures)
    return f"| {_cell(attribute.name)} | {reading} | {' | '.join(shown)} |"


def _training(info: PackageInfo) -> str:
    facts = {**info.training, "weights of the backbone": info.weights or "not recorded"}
    return "\n".join(f"- {_cell(name)}: {_cell(str(fact))}" for name, fact in facts.items())


def _limits(info: PackageInfo) -> str:
    doubtful = [_cell(attribute.name) for attribute in info.attributes if attribute.verdict != "learned"]
    calibrated = (
        "Probabilities are calibrated on the training data's prevalence."
        if info.calibrated
        else "Probabilities are not calibrated: they rank images, and are not frequencies."
    )
    return (
        (f"Nothing shows that the model knows these attributes: {', '.join(doubtful)}. " if doubtful else "")
        + f"{calibrated} On photos of another kind, camera or place the figures above do not hold; evaluate "
        "the model there first. It has not been examined for fairness between groups of people, and must not "
        "decide about people."
    )


def _software(info: PackageInfo) -> str:
    names = [*info.versions, *(name for name in info.licenses if name not in info.versions)]
    lines = [
        f"- {name} {info.versions.get(name, '')}: {info.licenses.get(name, 'not stated')}" for name in names
    ]
    decoder = f"- image decoder, version {info.decoder}" if info.decoder else ""
    return "\n".join(filter(None, [*lines, decoder])) or "Not recorded."


def _cell(text: str) -> str:
    """Text that neither ends a table's cell nor becomes HTML or a link."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in flat)
