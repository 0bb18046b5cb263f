"""The function app: registers the blueprints, nothing else."""

import azure.functions as func

from functions import canary, dataset_uploaded, doctor, health, job_changed, queue, runs, score, timers

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for module in (dataset_uploaded, canary, job_changed, queue, timers, score, runs, health, doctor):
    app.register_functions(module.blueprint)
