"""How this program is called from here, for the commands that it names."""

import os
import shutil
import sys
from pathlib import Path


def program() -> str:
    """How this program is called from here, such as `.venv/bin/distillgen`."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m distillgen"
    found = shutil.which("distillgen")
    if found and Path(found).samefile(called):
        return "distillgen"
    near = os.path.relpath(called)
    return str(called) if near.startswith("..") else near
