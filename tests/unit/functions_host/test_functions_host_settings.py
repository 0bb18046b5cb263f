"""host.json, app settings and keys of the functions host."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from local.functions_host.errors import HostConfigError, SettingMissingError
from local.functions_host.host_json import QueueSettings, read_host_json
from local.functions_host.keys import Keys
from local.functions_host.settings import connection, is_disabled, resolve


def write(folder: Path, doc: Any) -> Path:
    path = folder / "host.json"
    path.write_text(json.dumps(doc))
    return path


def test_an_empty_host_json_has_azures_defaults(tmp_path: Path) -> None:
    settings = read_host_json(write(tmp_path, {"version": "2.0"}))
    assert settings.route_prefix == "api"
    assert settings.function_timeout == timedelta(minutes=30)
    assert settings.queues == QueueSettings(16, 8, timedelta(0), timedelta(minutes=1), 5, True)


def test_host_json_is_obeyed(tmp_path: Path) -> None:
    queues = {"batchSize": 4, "visibilityTimeout": "00:00:05", "messageEncoding": "none", "maxDequeueCount": 2}
    doc = {"version": "2.0", "functionTimeout": "-1", "extensions": {"http": {"routePrefix": ""}, "queues": queues}}
    settings = read_host_json(write(tmp_path, doc))
    assert (settings.route_prefix, settings.function_timeout) == ("", None)
    assert settings.queues == QueueSettings(4, 2, timedelta(seconds=5), timedelta(minutes=1), 2, False)


@pytest.mark.parametrize(
    ("doc", "said"),
    [
        ([], "version"),
        ({"version": "1.0"}, "version"),
        ({"version": "2.0", "extensions": []}, "extensions must be an object"),
        ({"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}, "batchSize is 33"),
        ({"version": "2.0", "extensions": {"queues": {"batchSize": "8"}}}, "batchSize must be of type int"),
        ({"version": "2.0", "extensions": {"queues": {"messageEncoding": "rot13"}}}, "messageEncoding"),
        ({"version": "2.0", "functionTimeout": "5m"}, "TimeSpan"),
    ],
)
def test_a_wrong_host_json_is_refused_with_the_place(tmp_path: Path, doc: Any, said: str) -> None:
    with pytest.raises(HostConfigError, match=said):
        read_host_json(write(tmp_path, doc))


def test_a_folder_without_host_json_is_no_app(tmp_path: Path) -> None:
    with pytest.raises(HostConfigError, match="missing"):
        read_host_json(tmp_path / "host.json")


def test_settings_are_put_in_the_place_of_their_names() -> None:
    assert resolve("%A%-x-%B_C%", {"A": "1", "B_C": "2"}) == "1-x-2"
    assert resolve("100%", {}) == "100%"


@pytest.mark.parametrize("settings", [{}, {"A": ""}])
def test_a_setting_without_a_value_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(SettingMissingError, match="the app setting A "):
        resolve("%A%", settings)


def test_a_connection_is_a_url_an_account_or_a_connection_string_and_the_string_is_not_shown() -> None:
    assert connection("Q", "queue", {"Q__queueServiceUri": "https://h/q/"}).url == "https://h/q"
    assert connection("", "blob", {"AzureWebJobsStorage__accountName": "a"}).url == "https://a.blob.core.windows.net"
    by_key = connection("Q", "queue", {"Q": "AccountKey=hush"})
    assert by_key.connection_string == "AccountKey=hush" and "hush" not in repr(by_key)
    with pytest.raises(SettingMissingError, match="set Q__queueServiceUri"):
        connection("Q", "queue", {})


def test_a_function_is_switched_off_by_its_setting() -> None:
    assert is_disabled("tick", {"AzureWebJobs.tick.Disabled": "true"})
    assert is_disabled("tick", {"AzureWebJobs_tick_Disabled": "1"})
    assert not is_disabled("tick", {"AzureWebJobs.tick.Disabled": "false"})


def request(query: str = "", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "query_string": query.encode(), "headers": raw})


def test_keys_open_what_they_are_for_and_the_header_beats_the_query() -> None:
    keys = Keys("m", "d", "e")
    assert keys.opens("ANONYMOUS", request())
    assert keys.opens("FUNCTION", request("code=d")) and keys.opens("FUNCTION", request("code=m"))
    assert not keys.opens("ADMIN", request("code=d"))
    assert keys.opens_eventgrid(request("code=e")) and not keys.opens_admin(request("code=e"))
    assert not keys.opens("FUNCTION", request("code=d", x_functions_key="wrong"))


def test_an_empty_key_opens_nothing() -> None:
    assert not Keys().opens("FUNCTION", request("code="))
    assert "m" not in repr(Keys("m")).removeprefix("Keys")
