"""Routes, queue messages and signatures of the functions host."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest
from azure.functions.meta import Datum
from azure.storage.queue import QueueMessage

from local.functions_host.errors import IndexingError
from local.functions_host.http_routes import precedence, starlette_paths
from local.functions_host.http_trigger import answer
from local.functions_host.index import index
from local.functions_host.queue_message import (
    UndecodableMessageError,
    decode_body,
    encode_body,
    outgoing_bodies,
    trigger_metadata,
)
from local.functions_host.signature import check_signature, converter


@pytest.mark.parametrize(
    ("prefix", "template", "paths"),
    [
        ("api", "score/{name}", ["/api/score/{name}"]),
        ("api", "v1/{*rest}", ["/api/v1/{rest:path}"]),
        ("", "/n/{id:int}", ["/n/{id:int}"]),
        ("api", "r/{id:guid}", ["/api/r/{id:uuid}"]),
        ("api", "runs/{id?}", ["/api/runs/{id}", "/api/runs"]),
    ],
)
def test_azures_routes_are_translated(prefix: str, template: str, paths: list[str]) -> None:
    assert starlette_paths(prefix, template) == paths


@pytest.mark.parametrize("template", ["a/{x:regex(^a$)}", "a/{x?}/b"])
def test_routes_that_the_host_does_not_know_are_refused(template: str) -> None:
    with pytest.raises(IndexingError, match="route"):
        starlette_paths("api", template)


def test_words_go_before_parameters_and_parameters_before_catch_alls() -> None:
    paths = ["/api/{rest:path}", "/api/{name}", "/api/runs", "/api/runs/{id}"]
    assert sorted(paths, key=precedence) == ["/api/runs", "/api/runs/{id}", "/api/{name}", "/api/{rest:path}"]


def test_an_http_response_keeps_status_headers_and_cookies() -> None:
    made = func.HttpResponse("x", status_code=418, headers={"x-a": "1", "Set-Cookie": "c=1; Path=/"})
    response = answer(converter("http").encode(made, expected_type=None))
    assert (response.status_code, response.body, response.headers["x-a"]) == (418, b"x", "1")
    assert response.headers["set-cookie"] == "c=1; Path=/"
    assert answer(None).status_code == 204


@pytest.mark.parametrize("body", ["grüß", "", b"\xff\x00"])
def test_a_message_body_survives_base64(body: str | bytes) -> None:
    assert decode_body(encode_body(body, True), True) == body


def test_a_message_that_is_not_base64_is_refused_and_plain_ones_stay_as_they_are() -> None:
    with pytest.raises(UndecodableMessageError, match="messageEncoding"):
        decode_body("{}", True)
    assert decode_body("{}", False) == "{}" == encode_body("{}", False)


def test_the_library_reads_our_trigger_metadata() -> None:
    message = QueueMessage(content=base64.b64encode(b"x").decode())
    message.id, message.pop_receipt, message.dequeue_count = "id", "receipt", 3
    message.inserted_on = message.expires_on = message.next_visible_on = datetime(2026, 1, 2, tzinfo=UTC)
    read = converter("queueTrigger").decode(Datum("x", "string"), trigger_metadata=trigger_metadata(message))
    assert (read.id, read.pop_receipt, read.dequeue_count, read.get_body()) == ("id", "receipt", 3, b"x")
    assert read.insertion_time == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "bodies"),
    [
        ("text", ["text"]),
        (b"raw", [b"raw"]),
        (func.QueueMessage(body=b"one"), ["one"]),
        (["a", func.QueueMessage(body=b"b")], ["a", "b"]),
    ],
)
def test_queue_outputs_are_read_as_messages(value: Any, bodies: list[str | bytes]) -> None:
    assert outgoing_bodies(converter("queue").encode(value, expected_type=None)) == bodies


HTTP = [
    {"type": "httpTrigger", "name": "req", "direction": "IN"},
    {"type": "queue", "name": "out", "direction": "OUT"},
    {"type": "http", "name": "$return", "direction": "OUT"},
]


def good(req: func.HttpRequest, out: func.Out[str], context: func.Context) -> None: ...
def lacks_one(req: func.HttpRequest) -> None: ...
def has_one_more(req: func.HttpRequest, out: func.Out[str], more: int) -> None: ...
def out_is_no_out(req: func.HttpRequest, out: str) -> None: ...
def wrong_type(req: func.QueueMessage, out: func.Out[str]) -> None: ...
def odd_context(req: func.HttpRequest, out: func.Out[str], context: int) -> None: ...


def test_a_function_whose_parameters_and_bindings_agree_passes() -> None:
    check_signature("good", good, HTTP)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lacks_one, "no parameters"),
        (has_one_more, "no binding"),
        (out_is_no_out, "out can't be"),
        (wrong_type, "req can't be"),
        (odd_context, "func.Context"),
    ],
)
def test_a_function_that_the_worker_would_refuse_is_refused(call: Callable[..., None], said: str) -> None:
    with pytest.raises(IndexingError, match=said):
        check_signature("f", call, HTTP)


def test_a_binding_that_the_host_lacks_is_the_functions_error() -> None:
    app = func.FunctionApp()

    @app.blob_trigger(arg_name="blob", path="c/{name}", connection="X")
    def on_blob(blob: func.InputStream) -> None: ...

    @app.route("ok")
    def ok(req: func.HttpRequest) -> str:
        return json.dumps({})

    first, second = index(app, {})
    assert first.error is not None and "blobTrigger" in first.error and not first.is_offered
    assert second.error is None and second.is_offered
