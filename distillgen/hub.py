"""Upload a dataset folder to the Hugging Face Hub, as a private dataset."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from distillgen.errors import PROVIDER, UserError

STALE = ["data/*", "*.meta.jsonl"]
"""What an earlier upload may have left there, and this one does not bring."""


def check(repo: str) -> None:
    """Find what would stop an upload, before anything is paid or written.

    Asks the hub whose token it is, and whether the dataset is there.

    Raises:
        UserError: no such name can be, there is no client or no token, or the dataset is public
            (exit code 2); the hub refuses the token, or cannot be reached (exit code 4).
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo, re.ASCII):
        raise UserError(f"--push {repo}: no name of a dataset; give USER/NAME")
    hub = _client()
    if hub.get_token() is None:
        raise UserError("--push: no token of the hub; set HF_TOKEN, or `hf auth login`")
    api = hub.HfApi()
    with _translated(hub, repo):
        role = api.whoami().get("auth", {}).get("accessToken", {}).get("role")
        if role == "read":
            raise UserError(
                f"--push {repo}: the token may only read; take one that writes", PROVIDER
            )
        with suppress(hub.errors.RepositoryNotFoundError):  # then it will be made
            _refuse_public(api, repo)


def push(folder: Path, repo: str, files: Iterable[Path]) -> str:
    """Upload these files of a folder, and nothing else; gives the address of the dataset.

    The dataset is made private if it is new, and must be private if it is not. What an earlier
    upload left under `data/` goes in the same commit.

    Raises:
        UserError: as `check`; or the hub refuses the files (exit code 4).
    """
    hub = _client()
    hub.utils.disable_progress_bars()
    api = hub.HfApi()
    with _translated(hub, repo):
        api.create_repo(repo, repo_type="dataset", private=True, exist_ok=True)
        _refuse_public(api, repo)
        api.upload_folder(
            repo_id=repo,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=[path.relative_to(folder).as_posix() for path in files],
            delete_patterns=STALE,
            commit_message="Upload with distillgen",
        )
    return f"{api.endpoint}/datasets/{repo}"


def _refuse_public(api: Any, repo: str) -> None:
    if not api.repo_info(repo, repo_type="dataset").private:
        raise UserError(
            f"--push {repo}: the dataset is there, and public: all could read what comes; make it"
            " private, or give another name"
        )


def _client() -> ModuleType:
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # else it tells what it runs in
    try:
        import huggingface_hub
    except ImportError as error:
        raise UserError("--push needs a package: pip install 'distillgen[hub]'") from error
    return huggingface_hub


@contextmanager
def _translated(hub: ModuleType, repo: str) -> Iterator[None]:
    """The client's errors as what the user can do about them; no message of it holds the token."""
    answered = hub.errors.HfHubHTTPError
    http = answered.__bases__[0]  # of the HTTP library, which is another in each major version
    try:
        yield
    except answered as error:
        status = error.response.status_code
        meant = {401: "the token is not valid", 403: "the token may not write there"}
        said = meant.get(status, (error.server_message or "").partition("\n")[0])
        raise UserError(
            f"--push {repo}: the hub refuses ({status}{f': {said}' if said else ''}); the files"
            " stay where they are: see to it, and export again",
            PROVIDER,
        ) from error
    except (http, OSError) as error:
        raise UserError(
            f"--push {repo}: the hub cannot be reached ({type(error).__name__}); try again later",
            PROVIDER,
        ) from error
    except ValueError as error:  # a name that cannot be, or the card's head
        said = " ".join(str(error).split())
        raise UserError(f"--push {repo}: the hub does not take it: {said}", PROVIDER) from error
