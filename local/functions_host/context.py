"""What an invocation hands to a function beside its data: func.Context and func.Out."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func


@dataclass(frozen=True)
class TraceContext:
    """W3C trace context of the request that started the invocation; empty where there was none."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RetryContext:
    """The host runs no retry policies of its own: the queue and Event Grid bring things again."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: None = None


class InvocationContext(func.Context):
    """One invocation's identity."""

    def __init__(self, invocation_id: str, name: str, folder: str, headers: Mapping[str, str]) -> None:
        self._id, self._name, self._folder = invocation_id, name, folder
        self._trace = TraceContext(headers.get("traceparent", ""), headers.get("tracestate", ""))
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        """The invocation's id, as in the host's log."""
        return self._id

    @property
    def thread_local_storage(self) -> Any:
        """A thread-local whose `invocation_id` the function's own threads may set."""
        return self._local

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def function_directory(self) -> str:
        """The folder of the function app."""
        return self._folder

    @property
    def trace_context(self) -> Any:
        """The caller's trace."""
        return self._trace

    @property
    def retry_context(self) -> Any:
        """Always the first try."""
        return RetryContext()


class OutValue(func.Out[Any]):
    """A func.Out parameter: holds what the function sets."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Keep the value."""
        self._value = val

    def get(self) -> Any:
        """Return what was set, or None."""
        return self._value
