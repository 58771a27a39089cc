"""What names things on the Hub: owners, repositories, commits, and where on it an entry is from."""

import re
from dataclasses import dataclass

TAG = "latent-zoo"  # by which the app finds entries
NAME = r"[A-Za-z0-9][\w.-]{0,95}"  # an owner or what he owns; it becomes the name of a folder, whatever the Hub answers
REPOSITORY = re.compile(rf"{NAME}/{NAME}")
REVISION = r"[A-Za-z0-9][\w.+/-]{0,119}"
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where on the Hub an entry is from: repository "owner/name", commit of 40 hex digits, the branch or tag asked for.

    `signed` says whether HF_TOKEN may be used for it; what a visitor of a hosted app names is read without.
    """

    repo: str
    commit: str
    asked: str = "main"
    signed: bool = True

    @property
    def id(self) -> str:
        """The repository, and "@revision" where another one than main was asked for."""
        return self.repo + (f"@{self.asked}" if self.asked != "main" else "")
