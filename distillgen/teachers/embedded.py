"""Start llama.cpp as an OpenAI-compatible server on a free loopback port, in a process of its own.

A process, because the library holds the interpreter's lock while it loads (8 s of a frozen
screen), hangs when it is stopped in the middle of a reply, and aborts on what it cannot bear. It
lives as long as the pipe from here to it, so that none is left over, however this process ends.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from distillgen.errors import UserError

IDLE_S = 0.3
"""So long is looked at which cores are idle."""


class Embedded:
    """A running server; it ends with `close()`, or with this process."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url
        """Base URL for any OpenAI client, ending in `/v1`; no key is needed."""

    def close(self) -> None:
        """Stop the server and free its memory; what is under way breaks off."""
        self._process.kill()
        self._process.communicate()


def serve(
    path: Path, threads: int | None, context: int, slots: int, embeds: bool = False
) -> Embedded:
    """Load the weights and serve them; blocks for 1 to 8 s with small models.

    Args:
        path: a GGUF file.
        threads: None takes the cores that are idle now. Where another program needs one of their
            cores, all threads wait for the one that has lost its own: up to 8 times slower.
        context: tokens that one request and its reply may have together.
        slots: requests that are worked on at the same time; each has a context of its own.
        embeds: serve embeddings instead of chat, pooled as the file says.

    Raises:
        UserError: the package is missing, or llama.cpp cannot load the file.
    """
    if not all(map(importlib.util.find_spec, ("psutil", "xllamacpp"))):
        raise UserError("the embedded teacher needs a package that is not installed: "
                        "pip install 'distillgen[local]'")  # fmt: skip
    wish = [str(path), threads or _idle_cores(), context, slots, embeds]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, json.dumps(wish)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is not for it: what is under way is still wanted
    )
    server = Embedded(process, "")
    try:
        said = process.stdout.readline().strip() if process.stdout else ""
        if not said.startswith("http"):
            process.wait()
            why = said or f"it ended with code {process.returncode}; too little memory?"
            raise UserError(f"{path}: llama.cpp cannot load it ({why}); take another .gguf file")
    except BaseException:
        server.close()
        raise
    server.url = f"{said}/v1"
    return server


def _idle_cores() -> int:
    """Cores that nobody uses at the moment, of those that this process may use.

    One core is left free where there are more than two; on two it would be half of the speed.
    """
    import psutil

    busy: list[float] = psutil.cpu_percent(IDLE_S, percpu=True)
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(busy))
    idle = sum(busy[core] < 50 for core in mine if core < len(busy))
    return max(1, min(idle, len(mine) - 1 if len(mine) > 2 else 2))


def _child(path: str, threads: int, context: int, slots: int, embeds: bool) -> None:
    """The server's process: say the address, or in a line why not; end when the parent has."""
    parent = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever llama.cpp writes there
    try:
        from xllamacpp import CommonParams, Server

        params = CommonParams()
        params.verbosity = -1
        params.model.path = path
        params.n_ctx = context * slots
        params.n_parallel = slots
        params.cache_ram_mib = 0  # each slot keeps its last prompt; no 8 GB of older ones
        params.ui = params.endpoint_slots = False  # nothing for others on this machine to read
        if embeds:
            params.embedding = True
            params.n_batch = params.n_ubatch = context  # a text is read in one go
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads = threads
        server = Server(params)
    except ImportError as error:
        parent.write(f"{error}\n")
    except RuntimeError:
        parent.write("damaged, or made for a newer version\n")
    else:
        parent.write(f"{server.listening_address}\n")
        parent.flush()
        sys.stdin.read()
    parent.flush()
    os._exit(0)  # no destructors: with a reply under way they hang


if __name__ == "__main__":
    _child(*json.loads(sys.argv[1]))
