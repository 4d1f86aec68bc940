"""The embedded server: what cannot be loaded is told in a line, and nothing is left running."""

import pytest

from distillgen.errors import UserError
from distillgen.teachers.embedded import serve


@pytest.mark.parametrize(
    ("content", "reason"), [(b"GGUF" + bytes(range(256)) * 40, "damaged"), (None, "damaged")]
)
def test_what_llama_cpp_cannot_load_is_one_line_and_silent(tmp_path, capfd, content, reason):
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        serve(path, threads=1, context=256, slots=1)
    assert str(caught.value).startswith(f"{path}: llama.cpp cannot load it ({reason}")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
