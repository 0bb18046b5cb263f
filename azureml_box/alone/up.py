"""`python -m azureml_box up`: an emulator with its storage and its identity, and the environment that leads to it."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from azureml_box.alone import certificates
from azureml_box.alone.azurite import Azurite, account_of_environment
from azureml_box.alone.emulator import Emulator
from azureml_box.alone.process import AloneError

_EPILOG = """Everything else that is given goes to the emulator: --registry NAME=DIR, --provisioning jobs=manual, --loose, …
The storage is Azurite, looked for in node_modules here and above, in AZUREML_BOX_AZURITE and on the PATH; or the account
of AZUREML_BOX_STORAGE_URL (HTTPS, with a certificate that this machine trusts), _ACCOUNT and _KEY."""


def main(arguments: list[str]) -> int:
    """Start, write the environment, and stay until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser("azureml_box up", description=__doc__, epilog=_EPILOG)
    parser.add_argument("--home", type=Path, default=Path(".azureml_box"), help="folder for all data (%(default)s)")
    parser.add_argument("--env-file", type=Path, help="write the environment there (default: HOME/env.sh)")
    options, others = parser.parse_known_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    try:
        return _run(options.home.resolve(), options.env_file, others)
    except AloneError as error:
        print(f"azureml_box: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _run(home: Path, env_file: Path | None, others: list[str]) -> int:
    certificates.ensure(home / "ca")
    given, storage = account_of_environment(), Azurite(home / "storage", home / "ca")
    emulator = Emulator(home / "azureml", home / "ca", given or storage.account, others)
    try:
        if given is None:
            storage.start()
        emulator.start()
        path = env_file or home / "env.sh"
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in emulator.environment.items()]
        path.touch(mode=0o600)
        path.write_text("".join(lines))
        print(f"the emulator is up at {emulator.url}; in your shell: source {path}", flush=True)
        while emulator.alive:
            time.sleep(0.5)
        raise AloneError(f"the emulator ended by itself; see {home / 'azureml' / 'azureml.log'}")
    finally:
        emulator.stop()
        storage.stop()


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
