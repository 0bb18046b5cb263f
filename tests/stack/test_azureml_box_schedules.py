"""Schedules by the unmodified SDK: they fire by their clock, come through a kill, and end when they are disabled."""

import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.ai.ml import command, dsl
from azure.ai.ml.entities import CronTrigger, JobSchedule, RecurrencePattern, RecurrenceTrigger
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from azureml_box.alone.control import Control, ControlError
from tests.support.emulator_rig import WORKSPACE, Rig, ended, started

VERSION = "api-version=2023-06-01-preview"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with started(Rig(tmp_path_factory.mktemp("schedules") / "home")) as found:
        yield found


@pytest.fixture
def client(rig: Rig) -> Any:
    return rig.client()


@pytest.fixture
def control(rig: Rig) -> Control:
    token = (rig.home / "azureml/control-token").read_text()
    return Control(rig.url, token, rig.home / "ca/bundle.pem")


def pipeline(text: str = "${{creation_context.trigger_time}}") -> Any:
    step = command(
        name="say",
        command="echo it is ${{inputs.when}}",
        environment="azureml:none:1",
        inputs={"when": {"type": "string", "default": "never"}},
    )

    @dsl.pipeline
    def say_when(when: str) -> None:
        step(when=when)

    job = say_when(when=text)
    job.settings.default_compute = "serverless"
    return job


def made(client: Any, name: str, trigger: Any, job: Any = None) -> Any:
    return client.schedules.begin_create_or_update(
        JobSchedule(name=name, trigger=trigger, create_job=job or pipeline())
    ).result()


def later(minutes: int) -> str:
    return (datetime.now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S")


def fired(client: Any, name: str) -> list[Any]:
    return list(client.jobs.list(schedule_defined=True, scheduled_job_name=name))


def test_a_schedule_lives_and_fires_as_its_trigger_says(client: Any, control: Control) -> None:
    trigger = RecurrenceTrigger(frequency="hour", interval=2, start_time=later(60), time_zone="UTC")
    schedule = made(client, "every-two", trigger)
    assert (schedule.is_enabled, schedule.provisioning_state, fired(client, "every-two")) == (True, "Succeeded", [])
    names = control.pass_time(seconds=5 * 3600 + 60)["fired"]
    jobs = [ended(client, name) for name in names]
    begin = datetime.fromisoformat(trigger.start_time)  # type: ignore[arg-type]
    due = [begin + timedelta(hours=hours) for hours in (0, 2, 4)]
    assert [job.display_name for job in jobs] == [f"every-two-{moment:%Y%m%dT%H%M%SZ}" for moment in due]
    assert [job.status for job in jobs] == ["Completed"] * 3
    assert jobs[1].inputs["when"]._data == f"{due[1]:%Y-%m-%dT%H:%M:%SZ}"
    assert jobs[1].properties["azureml.scheduleName"] == "every-two"
    assert {job.name for job in fired(client, "every-two")} == set(names)
    client.schedules.begin_disable("every-two").result()
    assert control.pass_time(seconds=6 * 3600)["fired"] == []
    client.schedules.begin_enable("every-two").result()
    assert len(control.pass_time(seconds=2 * 3600)["fired"]) == 1, (
        "what passed while it was disabled is not made up for"
    )
    client.schedules.begin_disable("every-two").result()


def test_a_schedule_without_a_start_fires_at_once_and_goes_on_by_its_rule(client: Any, control: Control) -> None:
    made(client, "at-once", CronTrigger(expression="15 10 5 6 mon", time_zone="Pacific Standard Time"))
    stops = time.monotonic() + 10
    while not (jobs := fired(client, "at-once")):
        assert time.monotonic() < stops
        time.sleep(0.05)
    assert client.schedules.get("at-once").trigger.start_time
    names = control.pass_time(seconds=7 * 86400)["fired"]
    assert len(jobs) == len(names) == 1
    moment = datetime.strptime(client.jobs.get(names[0]).display_name, "at-once-%Y%m%dT%H%M%SZ")
    assert (moment.weekday(), moment.minute) == (0, 15) and moment.hour in (17, 18)
    client.schedules.begin_disable("at-once").result()


def test_a_schedule_is_triggered_once_listed_and_deleted_only_when_disabled(client: Any) -> None:
    made(client, "by-hand", CronTrigger(expression="0 0 * * *", start_time=later(9)))
    result = client.schedules.trigger("by-hand", schedule_time="2024-02-19T00:00:00")
    assert client.jobs.get(result.job_name).display_name == "by-hand-20240219T000000Z"
    with pytest.raises(HttpResponseError, match="Cannot delete an active trigger"):
        client.schedules.begin_delete("by-hand").result()
    client.schedules.begin_disable("by-hand").result()
    with pytest.raises(HttpResponseError, match="disabled"):
        client.schedules.trigger("by-hand")
    assert "by-hand" not in [schedule.name for schedule in client.schedules.list()]
    assert "by-hand" in [schedule.name for schedule in client.schedules.list(list_view_type="All")]
    client.schedules.begin_delete("by-hand").result()
    with pytest.raises(ResourceNotFoundError, match="not found"):
        client.schedules.get("by-hand")


def test_a_schedule_of_a_job_that_ran_runs_it_again(client: Any) -> None:
    first = ended(client, client.jobs.create_or_update(pipeline("by hand")).name)
    made(client, "again", CronTrigger(expression="0 0 * * *", start_time=later(9)), f"{first.id}")
    schedule = client.schedules.get("again")
    assert (schedule.create_job.id, schedule.create_job.experiment_name) == (first.id, "")
    job = ended(client, client.schedules.trigger("again").job_name)
    assert (job.status, job.inputs["when"]._data) == ("Completed", "by hand")
    client.schedules.begin_disable("again").result()


def test_schedules_and_their_clock_come_through_a_kill(rig: Rig, client: Any, control: Control) -> None:
    pattern = RecurrencePattern(hours=[3, 4], minutes=[30])
    made(client, "nightly", RecurrenceTrigger(frequency="day", interval=1, schedule=pattern, start_time=later(1)))
    before = control.clock()
    rig.end("azureml", signal.SIGKILL)
    rig.start_emulator()
    control = Control(rig.url, (rig.home / "azureml/control-token").read_text(), rig.home / "ca/bundle.pem")
    assert control.clock()["aheadSeconds"] == before["aheadSeconds"] and control.clock()["now"] > before["now"]
    assert len(control.pass_time(seconds=86400)["fired"]) == 2
    with pytest.raises(ControlError, match="time goes forward"):
        control.pass_time(to=before["now"])
    client.schedules.begin_disable("nightly").result()


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"trigger": {"timeZone": "Nowhere Time"}}, 400, "time zone"),
        ({"trigger": {"endTime": "2020-01-01T00:00:00", "startTime": "2019-01-01T00:00:00"}}, 400, "lies in the past"),
        ({"trigger": {"expression": "every day"}}, 400, "five fields"),
        ({"action": {"actionType": "CreateMonitor", "monitorDefinition": {}}}, 501, "CreateMonitor"),
        ({"action": {"actionType": "ImportData"}}, 501, "ImportData"),
        ({"action": {"jobDefinition": {"jobType": "AutoML"}}}, 501, "AutoML"),
    ],
)
def test_what_azure_or_the_emulator_does_not_take_is_refused(
    rig: Rig, change: dict[str, Any], status: int, says: str
) -> None:
    job = {"jobType": "Command", "command": "true", "environmentId": "x", "experimentName": "e"}
    body = {
        "trigger": {"triggerType": "Cron", "expression": "0 0 * * *", "startTime": later(9)},
        "action": {"actionType": "CreateJob", "jobDefinition": job},
    }
    sent = {name: {**part, **change.get(name, {})} for name, part in body.items()}
    found, answer = rig.ask("PUT", f"{WORKSPACE}/schedules/refused?{VERSION}", {"properties": sent})
    assert (found, says in answer["error"]["message"]) == (status, True), answer
