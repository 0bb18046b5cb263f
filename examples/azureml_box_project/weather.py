"""Trains the forecast on Azure Machine Learning: cleans the measurements, fits a line, registers it as a model."""

from pathlib import Path

from azure.ai.ml import Input, MLClient, Output, command, dsl
from azure.ai.ml.entities import AmlCompute, Environment, Model

STEPS = Path(__file__).parent / "steps"
CLUSTER = "forecast"


def ensure_cluster(client: MLClient) -> None:
    """Make the cluster; raises HttpResponseError where it cannot be had."""
    client.compute.begin_create_or_update(AmlCompute(name=CLUSTER, size="Standard_DS3_v2", max_instances=2)).result()


def submit(client: MLClient, measurements: Path) -> str:
    """Submit the pipeline and return the job's name."""
    image = Environment(name="plain-python", image="mcr.microsoft.com/azureml/minimal-py312-inference:latest")
    clean = command(
        name="clean",
        code=STEPS,
        command="python clean.py ${{inputs.raw}} ${{outputs.rows}}",
        environment=image,
        inputs={"raw": Input(type="uri_file")},
        outputs={"rows": Output(type="uri_folder")},
    )
    fit = command(
        name="fit",
        code=STEPS,
        command="python fit.py ${{inputs.rows}} ${{outputs.line}}",
        environment=image,
        inputs={"rows": Input(type="uri_folder")},
        outputs={"line": Output(type="uri_folder")},
    )

    @dsl.pipeline(name="forecast", default_compute=CLUSTER)
    def forecast(raw: Input) -> dict[str, Output]:
        cleaned = clean(raw=raw)
        fitted = fit(rows=cleaned.outputs.rows)
        return {"line": fitted.outputs.line}

    job = forecast(raw=Input(type="uri_file", path=str(measurements)))
    return str(client.jobs.create_or_update(job, experiment_name="weather").name)


def register(client: MLClient, job: str) -> Model:
    """Register what a finished job fitted."""
    return client.models.create_or_update(
        Model(name="forecast", path=f"azureml://jobs/{job}/outputs/line", type="custom_model")
    )
