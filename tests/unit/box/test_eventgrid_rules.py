import pytest

from local.eventgrid.blob_created import build, is_complete
from local.eventgrid.publishing import PublishError, parse
from local.eventgrid.schedule import delay, give_up_reason
from local.eventgrid.subscriptions import Subscription

LINE = {
    "api": "PutBlob",
    "container": "datasets",
    "blob": "my data/ä.jsonl",
    "eTag": '"0x1"',
    "requestId": "r",
    "clientRequestId": "c",
    "blobType": "BlockBlob",
    "contentLength": 12,
    "contentType": "application/jsonl",
    "sequencer": "7".zfill(48),
    "time": "2026-11-24T21:00:00.000Z",
}


def test_blob_created_has_the_shape_that_azure_documents() -> None:
    event = build(LINE, {}, "/subscriptions/s", "https://127.0.0.1:1/devstoreaccount1")
    assert set(event) == {
        "topic", "subject", "eventType", "id", "data", "dataVersion", "metadataVersion", "eventTime",
    }  # fmt: skip
    assert set(event["data"]) == {
        "api", "clientRequestId", "requestId", "eTag", "contentType", "contentLength", "blobType", "url", "sequencer",
        "storageDiagnostics",
    }  # fmt: skip
    assert event["subject"] == "/blobServices/default/containers/datasets/blobs/my data/ä.jsonl"
    assert event["data"]["eTag"] == '"0x1"'
    assert event["data"]["url"].endswith("/devstoreaccount1/datasets/my%20data/%C3%A4.jsonl")


def test_the_same_line_read_twice_gives_the_same_event() -> None:
    assert build(LINE, {}, "t", "u") == build(LINE, {}, "t", "u")


def test_a_block_list_gets_its_length_from_the_blob() -> None:
    line = {name: value for name, value in LINE.items() if name not in ("contentLength", "blobType")}
    assert not is_complete(line)
    event = build(line, {"contentLength": 99, "blobType": "BlockBlob", "eTag": "0x2"}, "t", "u")
    assert event["data"]["contentLength"] == 99
    assert event["data"]["eTag"] == '"0x1"'


def test_the_pauses_are_event_grids_own() -> None:
    assert [delay(n) for n in range(1, 12)] == [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 43200]
    assert delay(2, 0.05) == 1.5


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_what_can_never_work_is_given_up_at_once(status: int) -> None:
    assert give_up_reason(status, 1, 0, max_attempts=30, ttl=86400) == "UndeliverableDueToClientError"


@pytest.mark.parametrize("status", [404, 408, 429, 500, 503, None])
def test_what_may_work_later_is_tried_again_until_the_limits(status: int | None) -> None:
    assert give_up_reason(status, 29, 0, max_attempts=30, ttl=86400) is None
    assert give_up_reason(status, 30, 0, max_attempts=30, ttl=86400) == "MaxDeliveryAttemptsExceeded"
    assert give_up_reason(status, 1, 86400, max_attempts=30, ttl=86400) == "TimeToLiveExceeded"


def test_a_subscription_filters_by_topic_type_and_subject_regardless_of_case() -> None:
    one = Subscription("n", "storage", "https://x", ("A",), "/blobServices/default/containers/datasets/", ".jsonl")
    subject = "/blobServices/default/containers/Datasets/blobs/x.JSONL"
    assert one.wants("storage", "A", subject)
    assert not one.wants("azureml", "A", subject)
    assert not one.wants("storage", "B", subject)
    assert not one.wants("storage", "A", "/blobServices/default/containers/datasets2/blobs/x.jsonl")


def test_events_of_both_schemas_are_taken_and_incomplete_ones_refused_by_name() -> None:
    grid = b'[{"id":"1","subject":"s","eventType":"T","eventTime":"2026-01-01T00:00:00Z","data":{},"dataVersion":"1"}]'
    assert parse(grid, "application/json", "topic")[0]["topic"] == "topic"
    cloud = b'[{"id":"1","source":"s","type":"T","specversion":"1.0"}]'
    assert parse(cloud, "application/cloudevents-batch+json; charset=utf-8", "topic")[0]["source"] == "s"
    with pytest.raises(PublishError, match="event 0: eventType"):
        parse(b'[{"id":"1","subject":"s"}]', "application/json", "topic")
    with pytest.raises(PublishError, match="array"):
        parse(b"{}", "application/json", "topic")
