"""pytest plugin: writes what each collected test needs to $CONF_SURVEY (JSON lines), and runs nothing.

For each test: why its authors skip it, if they do, and which `test_configs/...` files its body, its
fixtures, its parameters and the helpers that these call name.
"""

import ast
import inspect
import json
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType

import pytest
from _pytest.skipping import evaluate_skip_marks

_CONFIG = re.compile(r"test_configs/[^\s\"']*")


def pytest_collection_finish(session: pytest.Session) -> None:
    tests = Path(str(session.config.rootpath)) / "tests"
    with Path(os.environ["CONF_SURVEY"]).open("w", encoding="utf-8") as out:
        for item in session.items:
            skipped = evaluate_skip_marks(item)
            needs = sorted(set(_configs_of(item)))
            out.write(
                json.dumps(
                    {
                        "test": item.nodeid,
                        "skip": skipped.reason if skipped else "",
                        "needs": needs,
                        "missing": [n for n in needs if not _exists(tests, n, _strings_given(item))],
                        "fixtures": sorted(item.fixturenames),
                        "e2e": "/e2etests/" in item.nodeid,
                    }
                )
                + "\n"
            )


def _exists(tests: Path, named: str, given: list[str]) -> bool:
    """Whether a file is there; `{}` in a name stands for one of the strings that the test is called with."""
    if "{}" not in named:
        return (tests / named).exists()
    head, _, tail = named.partition("{}")
    return any((tests / (head + value + tail)).exists() for value in given)


def _strings_given(item: pytest.Item) -> list[str]:
    return [
        value for value in getattr(getattr(item, "callspec", None), "params", {}).values() if isinstance(value, str)
    ]


def _configs_of(item: pytest.Item) -> Iterator[str]:
    seen: set[int] = set()
    function = getattr(item, "function", None)
    if function:
        yield from _configs_in(inspect.unwrap(function), seen)
    for definitions in item._fixtureinfo.name2fixturedefs.values():  # type: ignore[attr-defined]
        if "tests" in str(
            getattr(definitions[-1].func, "__code__", None) and definitions[-1].func.__code__.co_filename
        ):
            yield from _configs_in(definitions[-1].func, seen)
    for value in getattr(getattr(item, "callspec", None), "params", {}).values():
        yield from _CONFIG.findall(repr(value))


def _configs_in(function: Callable, seen: set[int]) -> Iterator[str]:
    if id(function) in seen or not isinstance(function, FunctionType):
        return
    seen.add(id(function))
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError, IndentationError):
        return
    body = tree.body[0]
    body.decorator_list = []  # type: ignore[attr-defined]  # parameters come from the call's own values
    for node in ast.walk(body):
        if isinstance(node, ast.JoinedStr):
            yield from _CONFIG.findall("".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (found for found in _CONFIG.findall(node.value) if len(found) > len("test_configs/"))
        elif isinstance(node, ast.BinOp):
            yield from _CONFIG.findall(str(_joined(node, function.__globals__) or ""))
        elif isinstance(node, ast.Name):
            named = function.__globals__.get(node.id)
            if isinstance(named, (str, Path)):
                yield from _CONFIG.findall(str(named))
            elif isinstance(named, FunctionType) and "/tests/" in named.__code__.co_filename:
                yield from _configs_in(named, seen)


def _joined(node: ast.AST, names: dict) -> Path | None:
    """The path that `folder / "file.yml"` makes, where `folder` is a module's constant."""
    if isinstance(node, ast.Name) and isinstance(names.get(node.id), (str, Path)):
        return Path(names[node.id])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left = _joined(node.left, names)
        if left and isinstance(node.right, ast.Constant) and isinstance(node.right.value, str):
            return left / node.right.value.removeprefix("./")
    return None
