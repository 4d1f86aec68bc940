"""What the tests of consumers share: no network, and exports in a folder of the test's own."""

import os
import shutil
import tempfile

import pytest
from meant import Export, export

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": tempfile.mkdtemp(), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def student(tmp_path_factory):
    """Folder of a tiny model."""
    from students import build

    return build(tmp_path_factory.mktemp("student"))


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Copies an export into the working directory, where the lines of its README find it."""

    def copy(set: str, format: str, variant: str) -> Export:
        there = tmp_path / "data"
        shutil.copytree(export(set, format, variant).path, there)
        monkeypatch.chdir(there)
        return Export(set, there)

    return copy
