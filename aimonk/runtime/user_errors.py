"""The errors that a served model can meet; `aimonk.errors` lists them with the others."""


class AimonkError(Exception):
    """A user can cause and mend this; the command line prints its message and exits with 2."""


class ImagesError(AimonkError):
    """An image, or too large a share of the images, cannot be used."""


class ModelError(AimonkError):
    """A model package is missing, incomplete, or not one of ours."""
