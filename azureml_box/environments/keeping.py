"""The environments of one box: each is built once however many want it, kept by its content, and the oldest go.

`HOME/environments/KEY.json` names the folder of a finished build; it is written last, so a build that was killed leaves a
folder that nothing names, which the next build removes. Its time is when the environment was last used.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import psutil

from azureml_box import tree
from azureml_box.environments import interpreter
from azureml_box.environments.building import BuildError, build
from azureml_box.environments.conda import Spec
from azureml_box.environments.interpreter import Interpreter
from azureml_box.environments.wanted import Wanted


@dataclass(frozen=True)
class Ceiling:
    """How much is kept: environments, their bytes together; what was used in the last `spared` seconds stays anyway."""

    count: int = 20
    size: int = 20_000_000_000
    spared: float = 600.0


class Environments:
    """Builds and finds them; one object for a folder."""

    def __init__(self, folder: Path, ceiling: Ceiling | None = None) -> None:
        self._folder, self._ceiling = folder, ceiling or Ceiling()
        self._building: dict[str, asyncio.Task[Path]] = {}
        self._waiting: dict[str, int] = {}

    async def prepare(self, asked: Wanted, log: Path | None = None) -> Interpreter:
        """The interpreter for it, built where it is not there yet; while it is built, `log` shows how.

        Raises:
            BuildError: it cannot be built.
        """
        if asked.error:
            raise BuildError(asked.error)
        if asked.spec is None:
            return interpreter.own(asked.why)
        base, note = await asyncio.to_thread(interpreter.base, asked.spec.python)
        version = await asyncio.to_thread(interpreter.full_version, base)
        key = digest(asked.spec, base, version)
        place = self._known(key) or await self._built(key, asked.spec, base, log)
        return Interpreter(str(place / "bin/python"), version, asked.why + note, str(place))

    def forget(self) -> None:
        """Removes all that are not in use (blocks)."""
        self._evict(Ceiling(0, 0, 0.0))

    def _known(self, key: str) -> Path | None:
        mark = self._folder / f"{key}.json"
        try:
            place = self._folder / str(json.loads(mark.read_text())["folder"])
            os.utime(mark)
        except (OSError, ValueError, KeyError):
            return None
        return place if (place / "bin/python").exists() else None

    async def _built(self, key: str, spec: Spec, base: str, log: Path | None) -> Path:
        """Waits for the one build of this key; the last one who gives up ends it."""
        shared = self._folder / f"{key}.log"
        if key not in self._building:
            self._folder.mkdir(parents=True, exist_ok=True)
            shared.unlink(missing_ok=True)
            shared.touch()
            self._building[key] = asyncio.create_task(self._build(key, spec, base, shared))
            self._building[key].add_done_callback(lambda _: self._building.pop(key, None))
        task = self._building[key]
        if log is not None:
            _link(shared, log)
        self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key] and not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _build(self, key: str, spec: Spec, base: str, log: Path) -> Path:
        await asyncio.to_thread(self._clean, key)
        place = self._folder / f"{key}-{uuid.uuid4().hex[:8]}"
        try:
            await build(spec, base, place, log)
            size = await asyncio.to_thread(_size, place)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, place, ignore_errors=True))
            raise
        part = self._folder / f"{key}.part"
        part.write_text(json.dumps({"folder": place.name, "size": size, "requirements": spec.requirements}))
        part.replace(self._folder / f"{key}.json")
        await asyncio.to_thread(self._evict, self._ceiling, key)
        return place

    def _clean(self, key: str) -> None:
        """Removes what killed builds of this key left, with the pip that may still run there."""
        (self._folder / f"{key}.json").unlink(missing_ok=True)
        for left in [path for path in self._folder.glob(f"{key}-*") if path.is_dir()]:
            tree.end(str(left), grace=0)
            shutil.rmtree(left, ignore_errors=True)

    def _evict(self, ceiling: Ceiling, fresh: str = "") -> None:
        """Removes the least recently used beyond a ceiling, but none that a process works in, nor a `fresh` one."""
        marks = sorted(self._folder.glob("*.json"), key=lambda mark: mark.stat().st_mtime)
        sizes = {mark: json.loads(mark.read_text()) for mark in marks}
        count, total = len(marks), sum(int(kept["size"]) for kept in sizes.values())
        busy = _in_use() if count > ceiling.count or total > ceiling.size else set()
        for mark in marks:
            if count <= ceiling.count and total <= ceiling.size:
                return
            place = self._folder / str(sizes[mark]["folder"])
            if str(place) in busy or mark.stem == fresh or time.time() - mark.stat().st_mtime < ceiling.spared:
                continue
            mark.unlink(missing_ok=True)
            mark.with_suffix(".log").unlink(missing_ok=True)
            shutil.rmtree(place, ignore_errors=True)
            count, total = count - 1, total - int(sizes[mark]["size"])


def digest(spec: Spec, base: str, version: str) -> str:
    """The key of an environment: what it is made of, whatever the order of its lines."""
    parts = [sorted(spec.requirements), os.path.realpath(base), version]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _link(shared: Path, log: Path) -> None:
    """The log of the build under a job's own name: a hard link, so that it shows what is written later."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    os.link(shared, log)


def _size(place: Path) -> int:
    return sum(path.lstat().st_size for path in place.rglob("*") if path.is_file())


def _in_use() -> set[str]:
    found = set()
    for process in psutil.process_iter():
        try:
            found.add(process.environ().get("VIRTUAL_ENV", ""))
        except (psutil.Error, OSError):
            continue
    return found
