"""Labels as people have them: one small reader for each format, and one place where tokens get a meaning.

`recognize` chooses the reader by content; it returns a `RawTable` of text. `column_roles` finds what each
column is for, `coding` and `tag_labels` what the cells mean, and `read_as` says what was understood.
"""

from .find_labels import LABEL_FILES, check_folder, find_labels
from .label_table import MISSING, LabelTable
from .read_as import ReadAs
from .read_labels import read_labels
from .write_labels import write_labels

__all__ = [
    "LABEL_FILES",
    "MISSING",
    "LabelTable",
    "ReadAs",
    "check_folder",
    "find_labels",
    "read_labels",
    "write_labels",
]
