"""The package that Azure runs: `python -m infra.package [FOLDER]` lays it into build/package, `azd deploy` uploads that.

All files of the repository that `.funcignore` lets pass, with `requirements.lock` in the place of `requirements.txt`: Azure's
build then installs exactly what was tested, each file held against its hash. Standard library only, since `azd` runs it
before anything of ours is installed. Where Git is at hand only tracked files are taken, so that nothing goes along that
lies about in a work tree.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build/package"
LOCK, REQUIREMENTS = "requirements.lock", "requirements.txt"


class PackageError(Exception):
    """The package cannot be made."""


def patterns(text: str) -> list[str]:
    """The patterns of a `.funcignore`: names of files and folders at any depth, with `*` and `?`.

    Raises:
        PackageError: a line says more than a name; Azure's tools would read it otherwise than we do.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        if "/" in said or said.startswith("!") or "[" in said:
            raise PackageError(f".funcignore, line {number}: {said!r}: write a plain name, without / ! or [")
        found.append(said)
    return found


def ignored(path: str, known: list[str]) -> bool:
    """Whether a path of the repository stays behind: it, or a folder above it, has a name of the list.

    >>> ignored("tests/unit/test_docs.py", ["tests"]), ignored("shared/errors.py", ["tests"])
    (True, False)
    """
    return any(fnmatchcase(part, pattern) for part in path.split("/") for pattern in known)


def contents(root: Path = ROOT) -> list[str]:
    """What goes into the package, as paths of the repository; the lock goes as `requirements.txt`."""
    known = patterns((root / ".funcignore").read_text(encoding="utf-8"))
    found = [path for path in _files(root) if not ignored(path, known)]
    return sorted(path for path in found if path != LOCK)


def build(folder: Path = FOLDER, root: Path = ROOT) -> Path:
    """Lays the package out anew.

    Raises:
        PackageError: the folder is none that was made by this, or there is no lock.
    """
    lock = root / LOCK
    if not lock.is_file():
        raise PackageError(f"there is no {LOCK}: make lock")
    if folder.exists():
        if any(folder.iterdir()) and not (folder / "function_app.py").is_file():
            raise PackageError(f"{folder} holds something else: name an empty folder")
        shutil.rmtree(folder)
    for path in contents(root):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(lock if path == REQUIREMENTS else root / path, target)
    return folder


def size(folder: Path) -> tuple[int, int]:
    """How many files the package has, and their bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)


def _files(root: Path) -> Iterator[str]:
    try:
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached"]
        told = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    except (OSError, subprocess.CalledProcessError):  # no Git, or no repository: as `azd init --template` lays it out
        yield from (str(path.relative_to(root).as_posix()) for path in root.rglob("*") if path.is_file())
        return
    yield from (path for path in told.decode().split("\0") if path and (root / path).is_file())


def main(arguments: list[str]) -> int:
    """Build, and say what there is; 1 where it cannot be built."""
    try:
        folder = build(Path(arguments[0]) if arguments else FOLDER)
    except PackageError as error:
        print(f"droptune: {error}", file=sys.stderr)
        return 1
    files, content = size(folder)
    print(f"{folder}: {files} files, {content / 1e6:.2f} MB, without what {REQUIREMENTS} names")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
