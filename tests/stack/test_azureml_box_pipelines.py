"""Pipelines as the unmodified azure-ai-ml SDK submits them: reuse, failures, cancellation, limits, inputs, a dead emulator."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator_rig import ENVIRONMENT, PLAIN, Rig, ended, runs, started, written

pytestmark = pytest.mark.stack

DEAF = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    open(sys.argv[1], "w").write(str(os.getpid()))
while True:
    time.sleep(1)
"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("pipelines"))
    rig.publish(*PLAIN)
    with started(rig):
        yield rig


@pytest.fixture(scope="module")
def client(rig: Rig) -> Any:
    return rig.client()


def step(line: str, *, inputs: dict[str, Any] | None = None, out: bool = True, **options: Any) -> Any:
    """A command component that may read `data` and write `out`."""
    from azure.ai.ml import Input, Output, command

    given = {name: Input(type="uri_folder", **how) for name, how in (inputs or {}).items()}
    outputs = {"out": Output(type="uri_folder")} if out else {}
    return command(command=line, environment=ENVIRONMENT, inputs=given, outputs=outputs, **options)


def named(node: Any, name: str) -> Any:
    """The SDK takes a node's name from the variable, where there is one."""
    node.name = name
    return node


def submit(client: Any, build: Any, **settings: Any) -> Any:
    from azure.ai.ml.dsl import pipeline

    made = pipeline(name="steps", default_compute="serverless", **settings)(build)()
    return client.jobs.create_or_update(made, experiment_name="steps")


def steps(client: Any, job: str) -> dict[str, Any]:
    return {child.display_name: child for child in client.jobs.list(parent_job_name=job)}


def two_steps(tmp_path: Path, note: str = "one", **options: Any) -> Any:
    """A pipeline that leaves a line in a file for each step that really ran."""
    ran = tmp_path / "ran"
    write = step(f"echo write >> {ran}; echo {note} > ${{{{outputs.out}}}}/f", **options)
    read = step(f"echo read >> {ran}; cat ${{{{inputs.data}}}}/f > ${{{{outputs.out}}}}/g", inputs={"data": {}})

    def build() -> dict[str, Any]:
        first = write()
        second = read(data=first.outputs.out)
        return {"last": second.outputs.out}

    return build


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_a_step_that_ran_before_is_reused_with_its_outputs_and_its_log(client: Any, rig: Rig, tmp_path: Path) -> None:
    first = ended(client, submit(client, two_steps(tmp_path)).name)
    again = ended(client, submit(client, two_steps(tmp_path)).name)
    assert (first.status, again.status, lines(tmp_path / "ran")) == ("Completed", "Completed", ["write", "read"])
    old, new = steps(client, first.name), steps(client, again.name)
    assert {name: child.status for name, child in new.items()} == {"first": "Completed", "second": "Completed"}
    told = new["second"].properties
    assert (told["azureml.isreused"], told["azureml.reusedrunid"]) == ("true", old["second"].name)
    assert told["azureml.reusedpipelinerunid"] == first.name
    assert "azureml.isreused" not in old["second"].properties
    assert rig.log(new["second"].name) == rig.log(old["second"].name)
    client.jobs.download(again.name, output_name="last", download_path=tmp_path / "root")
    client.jobs.download(new["second"].name, output_name="out", download_path=tmp_path / "step")
    assert [path.read_text() for path in tmp_path.rglob("g")] == ["one\n", "one\n"]


@pytest.mark.parametrize(("code", "ran"), [(0, 1), (3, 3)])
def test_of_equal_steps_at_one_time_one_runs_and_the_others_take_what_it_made_unless_it_fails(
    client: Any, tmp_path: Path, code: int, ran: int
) -> None:
    write = step(f"echo ran >> {tmp_path}/ran; sleep 1; echo tea > ${{{{outputs.out}}}}/f; exit {code}")
    read = step("cat ${{inputs.data}}/f ${{inputs.other}}/f > ${{outputs.out}}/g", inputs={"data": {}, "other": {}})

    def build() -> dict[str, Any]:
        made = [named(write(), name) for name in ("one", "two", "three")]
        return {"last": read(data=made[1].outputs.out, other=made[2].outputs.out).outputs.out}

    job = ended(client, submit(client, build).name)
    assert len(lines(tmp_path / "ran")) == ran
    assert job.status == ("Failed" if code else "Completed")
    children = [child.properties for child in steps(client, job.name).values()]
    assert [told.get("azureml.isreused") for told in children].count("true") == (0 if code else 2)
    if not code:
        client.jobs.download(job.name, output_name="last", download_path=tmp_path)
        assert [path.read_text() for path in tmp_path.rglob("g")] == ["tea\ntea\n"]


def test_a_pipeline_streams_its_own_log(client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write, read = step("echo > ${{outputs.out}}/f"), step("sleep 3", inputs={"data": {}}, out=False)

    def build() -> None:
        first = write()
        named(read(data=first.outputs.out), "second")

    job = submit(client, build)
    client.jobs.stream(job.name)
    shown, children = capsys.readouterr().out, steps(client, job.name)
    assert "Streaming logs/azureml/executionlogs.txt" in shown
    assert f"Completing processing run id {children['first'].name}." in shown
    client.jobs.download(job.name, download_path=tmp_path)
    kept = (tmp_path / "artifacts/logs/azureml/executionlogs.txt").read_text()
    places = [kept.index(f"{word}{child.name}") for child in children.values() for word in (":", "run id ")]
    assert places == sorted(places)


def test_a_changed_step_runs_and_what_reads_the_same_content_is_reused(client: Any, tmp_path: Path) -> None:
    ended(client, submit(client, two_steps(tmp_path)).name)
    changed = two_steps(tmp_path, environment_variables={"A": "other"})
    job = ended(client, submit(client, changed).name)
    assert lines(tmp_path / "ran") == ["write", "read", "write"]
    assert steps(client, job.name)["second"].properties["azureml.isreused"] == "true"
    ended(client, submit(client, two_steps(tmp_path, note="two")).name)
    assert lines(tmp_path / "ran")[3:] == ["write", "read"]


def test_a_forced_rerun_reuses_nothing_and_is_not_reused(client: Any, tmp_path: Path) -> None:
    ended(client, submit(client, two_steps(tmp_path), force_rerun=True).name)
    ended(client, submit(client, two_steps(tmp_path)).name)
    ended(client, submit(client, two_steps(tmp_path), force_rerun=True).name)
    assert lines(tmp_path / "ran") == ["write", "read"] * 3


def test_what_is_not_deterministic_always_runs(client: Any, tmp_path: Path) -> None:
    for _ in range(2):
        ended(client, submit(client, two_steps(tmp_path, is_deterministic=False)).name)
    assert lines(tmp_path / "ran") == ["write", "read", "write"]


def broken_and_slow(tmp_path: Path, broken: str = "echo 'no such column' >&2; exit 4") -> Any:
    failing, slow = step(broken), step(f"sleep 1; echo slow > {tmp_path}/slow", out=False)
    after = step(f"echo after > {tmp_path}/after", inputs={"data": {}})

    def build() -> None:
        bad = failing()
        named(slow(), "slow")
        named(after(data=bad.outputs.out), "after")

    return build


def states(client: Any, job: str) -> dict[str, str]:
    return {name: child.status for name, child in steps(client, job).items()}


def test_steps_that_do_not_need_the_failed_one_go_on_by_default(client: Any, rig: Rig, tmp_path: Path) -> None:
    job = ended(client, submit(client, broken_and_slow(tmp_path)).name)
    assert job.status == "Failed"
    assert "no such column" in rig.failure(job.name)
    assert states(client, job.name) == {"bad": "Failed", "slow": "Completed", "after": "Canceled"}
    assert (tmp_path / "slow").exists() and not (tmp_path / "after").exists()


def test_a_failed_step_ends_the_others_where_the_pipeline_says_so(client: Any, tmp_path: Path) -> None:
    job = submit(client, broken_and_slow(tmp_path), continue_on_step_failure=False)
    assert ended(client, job.name).status == "Failed"
    assert states(client, job.name) == {"bad": "Failed", "slow": "Canceled", "after": "Canceled"}
    assert not (tmp_path / "slow").exists()


def test_a_step_is_canceled_at_its_own_limit(client: Any, rig: Rig, tmp_path: Path) -> None:
    from azure.ai.ml.entities import CommandJobLimits

    long = step("sleep 300", out=False)

    def build() -> None:
        node = long()
        node.limits = CommandJobLimits(timeout=1)

    job = ended(client, submit(client, build).name)
    assert job.status == "Failed" and "limit of 1 s" in rig.failure(job.name)
    assert states(client, job.name) == {"node": "Canceled"}


@pytest.mark.parametrize(("goes_on", "slow"), [(True, "Completed"), (False, "Canceled")])
def test_a_step_can_be_canceled_alone(client: Any, tmp_path: Path, goes_on: bool, slow: str) -> None:
    line = f"echo $$ > {tmp_path}/own; sleep 300"
    job = submit(client, broken_and_slow(tmp_path, line), continue_on_step_failure=goes_on)
    process = written(tmp_path / "own")
    client.jobs.begin_cancel(steps(client, job.name)["bad"].name).result()
    assert not runs(process)
    assert ended(client, job.name).status == "Failed"
    assert states(client, job.name) == {"bad": "Canceled", "slow": slow, "after": "Canceled"}


def test_a_canceled_pipeline_ends_even_a_grandchild_that_does_not_listen(client: Any, tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(DEAF)
    deaf, other = step(f"python {tmp_path}/deaf.py {tmp_path}/pid", out=False), step("sleep 300", out=False)

    def build() -> None:
        deaf()
        other()

    job = submit(client, build)
    process = written(tmp_path / "pid")
    client.jobs.begin_cancel(job.name).result()
    assert client.jobs.get(job.name).status == "Canceled"
    assert set(states(client, job.name).values()) == {"Canceled"}
    assert not runs(process)


def test_a_step_that_writes_into_its_input_changes_nothing_for_others(client: Any, rig: Rig, tmp_path: Path) -> None:
    write = step("echo one > ${{outputs.out}}/f", is_deterministic=False)
    spoil = step(
        "echo two >> ${{inputs.data}}/f; echo new > ${{inputs.data}}/n; cp -r ${{inputs.data}}/. ${{outputs.out}}",
        inputs={"data": {}},
    )

    def build() -> dict[str, Any]:
        first = write()
        second = spoil(data=first.outputs.out)
        return {"kept": first.outputs.out, "spoilt": second.outputs.out}

    job = ended(client, submit(client, build).name)
    child = steps(client, job.name)["first"].name
    for output in ("kept", "spoilt"):
        client.jobs.download(job.name, output_name=output, download_path=tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {
        "named-outputs/kept/f": "one\n",
        "named-outputs/spoilt/f": "one\ntwo\n",
        "named-outputs/spoilt/n": "new\n",
    }
    assert (rig.home / "azureml/jobs" / child / "outputs/out/f").read_text() == "one\n"


def test_a_read_write_mount_takes_changes_back_to_the_datastore(client: Any, tmp_path: Path) -> None:
    from azure.ai.ml import Input, Output, command

    (tmp_path / "data").mkdir()
    for name in ("same", "changed", "removed"):
        (tmp_path / "data" / name).write_text(name)
    line = "cp -r ${{inputs.data}}/. ${{outputs.out}}"
    change = (
        "echo more >> ${{inputs.data}}/changed; rm ${{inputs.data}}/removed; echo n > ${{inputs.data}}/new; " + line
    )
    found: list[set[str]] = []
    path = str(tmp_path / "data")
    for mode, run in (("rw_mount", change), ("ro_mount", line)):
        job = client.jobs.create_or_update(
            command(
                command=run,
                environment=ENVIRONMENT,
                inputs={"data": Input(type="uri_folder", path=path, mode=mode)},
                outputs={"out": Output(type="uri_folder")},
            )
        )
        assert ended(client, job.name).status == "Completed"
        path = client.jobs.get(job.name).inputs["data"].path
        client.jobs.download(job.name, output_name="out", download_path=tmp_path / mode)
        out = tmp_path / mode / "named-outputs/out"
        found.append({f"{file.name}={file.read_text().strip()}" for file in out.iterdir()})
    assert found == [{"same=same", "changed=changedmore", "new=n"}] * 2


def test_a_read_write_mount_of_another_steps_output_changes_that_output(client: Any, tmp_path: Path) -> None:
    write = step("echo one > ${{outputs.out}}/f", is_deterministic=False)
    change = step("echo two >> ${{inputs.data}}/f", inputs={"data": {"mode": "rw_mount"}}, out=False)

    def build() -> dict[str, Any]:
        first = write()
        named(change(data=first.outputs.out), "second")
        return {"changed": first.outputs.out}

    job = ended(client, submit(client, build).name)
    assert job.status == "Completed"
    client.jobs.download(job.name, output_name="changed", download_path=tmp_path)
    assert [path.read_text() for path in tmp_path.rglob("f")] == ["one\ntwo\n"]


def test_a_running_pipeline_outlives_an_emulator_that_is_killed(client: Any, rig: Rig, tmp_path: Path) -> None:
    line = (
        f"echo $$ >> {tmp_path}/own; while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; echo 1 > ${{{{outputs.out}}}}/f"
    )
    wait, read = step(line), step(f"cat ${{{{inputs.data}}}}/f > {tmp_path}/read", inputs={"data": {}})

    def build() -> None:
        first = wait()
        named(read(data=first.outputs.out), "second")

    job = submit(client, build)
    process = written(tmp_path / "own")
    rig.end("azureml", signal.SIGKILL)
    assert runs(process)
    rig.start_emulator()
    assert client.jobs.get(job.name).status == "Running"
    (tmp_path / "go").touch()
    assert ended(client, job.name).status == "Completed", rig.details(job.name)
    assert states(client, job.name) == {"first": "Completed", "second": "Completed"}
    assert written(tmp_path / "own") == process
    assert (tmp_path / "read").read_text() == "1\n"


def test_what_was_done_before_a_kill_is_not_done_again_and_its_outputs_arrive(
    client: Any, rig: Rig, tmp_path: Path
) -> None:
    write = step(f"echo write >> {tmp_path}/ran; head -c 60000000 /dev/zero > ${{{{outputs.out}}}}/f")
    wait = step(
        f"echo $$ >> {tmp_path}/own; while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; rm ${{{{inputs.data}}}}/f",
        inputs={"data": {}},
        out=False,
    )

    def build() -> dict[str, Any]:
        first = write()
        named(wait(data=first.outputs.out), "second")
        return {"kept": first.outputs.out}

    job = submit(client, build)
    written(tmp_path / "own")  # the first step's output is on its way now, or has arrived
    rig.end("azureml", signal.SIGKILL)
    rig.start_emulator()
    (tmp_path / "go").touch()
    assert ended(client, job.name).status == "Completed", rig.details(job.name)
    assert lines(tmp_path / "ran") == ["write"] and len(lines(tmp_path / "own")) == 1
    client.jobs.download(job.name, output_name="kept", download_path=tmp_path)
    assert [path.stat().st_size for path in tmp_path.rglob("f")] == [60_000_000]


def test_a_process_that_was_taken_up_can_be_canceled(client: Any, rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "deaf.py").write_text(DEAF)
    deaf = step(f"python {tmp_path}/deaf.py {tmp_path}/pid", out=False)

    def build() -> None:
        named(deaf(), "deaf")

    job = submit(client, build)
    process = written(tmp_path / "pid")
    rig.end("azureml", signal.SIGKILL)
    rig.start_emulator()
    assert runs(process) and states(client, job.name) == {"deaf": "Running"}
    client.jobs.begin_cancel(steps(client, job.name)["deaf"].name).result()
    assert not runs(process)
    assert ended(client, job.name).status == "Failed" and states(client, job.name) == {"deaf": "Canceled"}


def test_a_job_that_ended_while_no_emulator_ran_ends_as_its_process_did(client: Any, rig: Rig, tmp_path: Path) -> None:
    from azure.ai.ml import command

    names = {}
    for end in ("exit 5", "exit 0", "kill -9 $PPID"):  # the last one takes the shell away that would tell
        line = f"echo $$ > {tmp_path}/own{len(names)}; while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; {end}"
        names[end] = client.jobs.create_or_update(command(command=line, environment=ENVIRONMENT)).name
        if len(names) < 3:
            written(tmp_path / f"own{len(names) - 1}")
    rig.end("azureml", signal.SIGKILL)
    (tmp_path / "go").touch()
    stops = [written(tmp_path / f"own{number}") for number in range(2)]
    while any(map(runs, stops)):
        time.sleep(0.05)
    rig.start_emulator()
    assert ended(client, names["exit 5"]).status == "Failed" and "exit code 5" in rig.failure(names["exit 5"])
    assert ended(client, names["exit 0"]).status == "Completed"
    # It had waited for a place when the emulator died, so that it begins now.
    lost = names["kill -9 $PPID"]
    assert ended(client, lost).status == "Failed" and "exit code" in rig.failure(lost)
