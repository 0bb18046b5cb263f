"""A conda file as pip takes it.

The rule: a package of conda is the package of PyPI with the same name, but for the few in `_RENAMED`; what is no Python
package (`_SYSTEM`) is left to the machine. Grammar: docs.conda.io/projects/conda-build/en/latest/resources/package-spec.html
(package match specifications) and "creating an environment file manually" of conda's user guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

_RENAMED = {
    "pytorch": "torch",
    "opencv": "opencv-python",
    "matplotlib-base": "matplotlib",
    "dask-core": "dask",
    "py-xgboost": "xgboost",
    "pytables": "tables",
}
_SYSTEM = {
    *("cudatoolkit", "cudnn", "cuda-toolkit", "pytorch-cuda", "pytorch-mutex", "cpuonly", "nccl", "openmpi", "mpich"),
    *(
        "gcc",
        "gxx",
        "gcc_linux-64",
        "gxx_linux-64",
        "compilers",
        "libgcc",
        "libgcc-ng",
        "libstdcxx-ng",
        "blas",
        "libblas",
    ),
    *("git", "git-lfs", "openssl", "ca-certificates", "nodejs", "openjdk", "ffmpeg", "graphviz", "make", "zlib", "xz"),
    *("tk", "readline", "ncurses", "sqlite", "bzip2", "libffi", "_libgcc_mutex", "_openmp_mutex", "r-base"),
}
_MATCH = re.compile(r"^(?:[\w./-]+::)?(?P<name>[\w.-]+)\s*(?P<rest>[=<>!~\s].*)?$")
_PART = re.compile(r"^(?P<how>==|>=|<=|!=|~=|=|>|<)?\s*(?P<version>[\w.*+!-]+)$")
_PYTHON = re.compile(r"^==?\s*(\d+\.\d+)")


class SpecError(Exception):
    """A conda file that says nothing that can be built; the message says what is wrong."""


class NotForPipError(Exception):
    """A conda file that conda takes and pip cannot; the message names the package."""


@dataclass(frozen=True)
class Spec:
    """`requirements` are lines for pip; `python` a version such as `3.10`; `system` what is left to the machine."""

    python: str | None = None
    requirements: tuple[str, ...] = ()
    system: tuple[str, ...] = ()


def parse(text: str) -> Spec:
    """What a conda file asks for.

    >>> parse("dependencies: [python=3.10, conda-forge::numpy=1.26, git, {pip: [six==1.16.0]}]")
    Spec(python='3.10', requirements=('numpy==1.26.*', 'six==1.16.0'), system=('git',))

    Raises:
        SpecError: it is no conda file.
        NotForPipError: a package in it cannot be told to pip.
    """
    try:
        sent = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError(f"the conda file is not YAML: {error}") from None
    entries = sent.get("dependencies") if isinstance(sent, dict) else None
    if not isinstance(entries, list):
        raise SpecError("the conda file has no list of dependencies")
    python, lines, system = None, list[str](), list[str]()
    for entry in entries:
        if isinstance(entry, dict):
            lines += _pip(entry)
            continue
        name, rest = _split(entry)
        if name == "python":
            python = match[1] if (match := _PYTHON.match(rest)) else None
        elif name in _SYSTEM or name.startswith("r-"):
            system.append(name)
        elif name != "pip":
            lines.append(_RENAMED.get(name, name) + _constraint(name, rest))
    return Spec(python, tuple(lines), tuple(system))


def _pip(entry: dict[str, Any]) -> list[str]:
    lines = entry.get("pip")
    if set(entry) != {"pip"} or not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise SpecError(f"the dependency {entry!r} of the conda file is neither a package nor a list for pip")
    return [line.strip() for line in lines if line.strip()]


def _split(entry: Any) -> tuple[str, str]:
    match = _MATCH.match(str(entry).strip())
    if match is None:
        raise SpecError(f"the dependency {entry!r} of the conda file is no package")
    return match["name"].lower(), (match["rest"] or "").strip()


def _constraint(name: str, rest: str) -> str:
    return ",".join(_part(name, part.strip()) for part in rest.split(",") if part.strip())


def _part(name: str, text: str) -> str:
    # `=1.2` is conda's fuzzy match, and a build may follow as in `1.2=py310_0` or `1.2 py310_0`.
    head = re.match(r"^([=<>!~]*)\s*([^=\s]+)", text)
    match = _PART.match(f"{head[1]}{head[2]}") if head else None
    if match is None:
        raise NotForPipError(f"{name}{text} of the conda file, which pip cannot be told")
    how, version = match["how"] or "=", match["version"]
    if how == "=":
        return f"=={version}" if version.endswith("*") else f"=={version}.*"
    return f"{how}{version}"
