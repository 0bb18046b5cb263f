"""The variables that a client of the box gets (`droptune box env`), and those of the function app."""

import time

from local.box.config import BoxConfig
from local.box.key import box_key
from local.identity.tokens import Signer

_DAY = 86400


def client(config: BoxConfig) -> dict[str, str]:
    """Return what `box env` exports: with it unmodified SDKs work (INTERFACES, "The environment")."""
    azureml, bundle = config.url("azureml"), str(config.ca / "bundle.pem")
    return {
        "AZURE_SUBSCRIPTION_ID": config.subscription,
        "AZURE_RESOURCE_GROUP": config.resource_group,
        "AZUREML_WORKSPACE_NAME": config.workspace,
        "AZUREML_REGISTRY_NAME": config.registry,
        "ARM_CLOUD_METADATA_URL": f"{azureml}/metadata/endpoints?api-version=2019-05-01",
        "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{azureml}/",
        "IDENTITY_ENDPOINT": f"{config.url('identity')}/identity/token",
        "IDENTITY_HEADER": config.secrets["identity"],
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
        "AZURE_STORAGE_ACCOUNT_URL": config.url("blob"),
        "AZURE_STORAGE_QUEUE_URL": config.url("queue"),
        "MLFLOW_TRACKING_URI": f"{azureml}/mlflow/v2.0{config.workspace_scope}",
        "MLFLOW_TRACKING_TOKEN": _signer(config).token(azureml, lifetime=_DAY, now=time.time()),
        # Secrets of a real Azure that lie about in the shell must not win (BOX_FACTS 4).
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "DROPTUNE_URL": config.url("functions"),
        "DROPTUNE_KEY": box_key(config)[0],
    }


def functions(config: BoxConfig) -> dict[str, str]:
    """Return the function app's settings: a client's, the host's keys and storage, and the operator's `--set`s."""
    shared = {name: value for name, value in client(config).items() if name != "DROPTUNE_KEY"}
    return shared | {
        "FUNCTIONS_MASTER_KEY": config.secrets["functions_master"],
        "FUNCTIONS_EVENTGRID_KEY": config.secrets["functions_eventgrid"],
        "AzureWebJobsStorage__blobServiceUri": config.url("blob"),
        "AzureWebJobsStorage__queueServiceUri": config.url("queue"),
        "AzureWebJobsStorage__credential": "managedidentity",
        "DROPTUNE_TOKENIZER": str(config.home / "registry" / "tokenizer.json"),
        "DROPTUNE_SETTLE": "1s",
        "DROPTUNE_METRICS_LAG": "0s",
        "DROPTUNE_POLL": "1s",
        "DROPTUNE_CONCURRENT_REQUESTS": "8",
        "DROPTUNE_WATCH": "15s",
        "DROPTUNE_CANARY_HOLD": "5s",
        "DROPTUNE_RECONCILE_SCHEDULE": "*/15 * * * * *",
        "DROPTUNE_IDLE_SCHEDULE": "*/5 * * * * *",
        "DROPTUNE_EVENTS_ENDPOINT": f"{config.url('eventgrid')}/topics/droptune/api/events",
        **config.settings,
    }


def trust(config: BoxConfig) -> dict[str, str]:
    """Return what makes any child trust the box's certificates."""
    bundle = str(config.ca / "bundle.pem")
    return {"REQUESTS_CA_BUNDLE": bundle, "SSL_CERT_FILE": bundle, "NODE_EXTRA_CA_CERTS": str(config.ca / "ca.pem")}


def identity(config: BoxConfig) -> dict[str, str]:
    """Return what DefaultAzureCredential needs."""
    names = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_TOKEN_CREDENTIALS")
    values = client(config)
    return {name: values[name] for name in names}


def _signer(config: BoxConfig) -> Signer:
    return Signer((config.ca / "identity.key").read_bytes(), config.tenant, config.object_id)
