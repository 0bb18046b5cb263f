"""The same upstream behind the box's functions host: an endpoint of the emulator whose record points there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from bench.scoring.contestants import Contestant
from bench.scoring.ours import DEPLOYMENT

NAME, ENDPOINT = "bench-scoring", "bench-scoring-upstream"


@contextmanager
def through_the_host(upstream: str) -> Iterator[Contestant]:
    """Make the endpoint, which bills nothing without a deployment, and its record; needs the box's variables."""
    from shared.azure import ml
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
        container.write(path, msgspec.json.encode(wanted))
        ml.workspace().online_endpoints.get(ENDPOINT)
        url = f"{os.environ['DROPTUNE_URL']}/api/v1/chat/completions"
        yield Contestant(url, os.environ["DROPTUNE_KEY"], NAME)
    finally:
        container.delete(path)
        outside().online.delete(ENDPOINT)
