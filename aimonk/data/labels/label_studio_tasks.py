"""Tasks for Label Studio that are answered already, for people to correct; `label_studio` reads them back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

QUESTION, IMAGE = "attributes", "image"
"""Names of the choices and of the picture in Label Studio's labeling interface."""


@dataclass(frozen=True)
class AnsweredImage:
    """An image, and what it shows as far as labels and model know.

    Attributes:
        name: Path relative to the folder of images.
        present: Attributes.
    """

    name: str
    present: tuple[str, ...]


def label_studio_tasks(images: Iterable[AnsweredImage], folder: Path, model: str) -> list[dict[str, Any]]:
    """Return what Label Studio imports: each image with the present attributes as a prediction.

    Images are addressed as local files below the folder that holds `folder`, which is Label Studio's
    `LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`.

    >>> tasks = label_studio_tasks([AnsweredImage("a b.jpg", ("scarf",))], Path("photos"), "models:/m/1")
    >>> tasks[0]["data"]["image"], tasks[0]["predictions"][0]["result"][0]["value"]
    ('/data/local-files/?d=photos/a%20b.jpg', {'choices': ['scarf']})
    """
    root = folder.resolve().name
    return [
        {
            "data": {IMAGE: f"/data/local-files/?d={quote(f'{root}/{one.name}')}"},
            "predictions": [
                {
                    "model_version": model,
                    "result": [
                        {
                            "from_name": QUESTION,
                            "to_name": IMAGE,
                            "type": "choices",
                            "value": {"choices": list(one.present)},
                        }
                    ],
                }
            ],
        }
        for one in images
    ]


def labeling_interface(attributes: Sequence[str]) -> str:
    """Return the labeling interface of a project for these tasks, as XML."""
    choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in attributes)
    return (
        f'<View>\n  <Image name="{IMAGE}" value="${IMAGE}"/>\n'
        f'  <Choices name="{QUESTION}" toName="{IMAGE}" choice="multiple" showInLine="true">\n'
        f"{choices}\n  </Choices>\n</View>\n"
    )
