from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

CODE = """
import os, sys
from aimonk.native_stderr import hushed
with hushed() as said:
    os.write(2, b"chatter of C++\\n")
    print("progress", file=sys.stderr)
    assert said() == "chatter of C++\\n", said()
os.write(2, b"after\\n")
print("end", file=sys.stderr)
"""


def test_the_screen_has_what_python_says_and_no_more() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == "progress\nafter\nend\n"
