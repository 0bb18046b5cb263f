"""The same upstream behind the box's functions host: an endpoint of the emulator whose record points there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.scoring.contestants import Contestant
from bench.scoring.ours import DEPLOYMENT

NAME, ENDPOINT = "bench-scoring", "bench-scoring-upstream"
AT_ONCE = 64  # as a deployment that batches would be set; the line before it lets twice as many through
MLMODEL = "flavors:\n  python_function:\n    loader_module: quiet\n    code: code\n    data: data\n"
QUIET = "class Quiet:\n    def predict(self, *_):\n        return []\n\n\ndef _load_pyfunc(path):\n    return Quiet()\n"


@contextmanager
def through_the_host(upstream: str) -> Iterator[Contestant]:
    """Make the endpoint, a deployment of it that is never asked, and their record; needs the box's variables."""
    from shared.azure.blobs import Container
    from shared.azure.outside import outside
    from shared.runs.records import Endpoint

    container, path = Container("endpoints"), f"{NAME}.json"
    wanted = Endpoint(
        id=NAME,
        name=NAME,
        state="awake",
        endpoint_name=ENDPOINT,
        run="bench-scoring-none",
        deployment=DEPLOYMENT,
        scoring_uri=f"{upstream}/score",
    )
    outside().online.start(ENDPOINT, "made by make bench", {"bench": "scoring"})
    try:
        _deploy()
        container.write(path, msgspec.json.encode(wanted))
        url = f"{os.environ['DROPTUNE_URL']}/api/v1/chat/completions"
        yield Contestant(url, os.environ["DROPTUNE_KEY"], NAME)
    finally:
        container.delete(path)
        outside().online.delete(ENDPOINT)


def _deploy() -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment, Model, OnlineRequestSettings

    from shared.azure import ml

    with tempfile.TemporaryDirectory() as folder:
        for path, text in (("MLmodel", MLMODEL), ("code/quiet.py", QUIET), ("data/none.txt", "none")):
            place = Path(folder) / path
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)
        wanted = ManagedOnlineDeployment(
            name=DEPLOYMENT,
            endpoint_name=ENDPOINT,
            model=Model(path=folder, type="mlflow_model", name=NAME),
            instance_type="Standard_DS3_v2",
            instance_count=1,
            request_settings=OnlineRequestSettings(max_concurrent_requests_per_instance=AT_ONCE),
        )
        ml.workspace().online_deployments.begin_create_or_update(wanted).result()
