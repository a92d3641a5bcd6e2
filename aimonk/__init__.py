"""aimonk: from images and labels with holes to a served model, and a straight answer to "did it learn?"."""

__version__ = "0.1.0"
