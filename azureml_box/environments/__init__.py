"""Environments as virtual environments: a conda file's packages by pip, built once, kept, and used again.

What has no conda file, or stands in a registry that the box was started with, runs in the box's own interpreter.
"""

from __future__ import annotations

from azureml_box.environments.building import BuildError
from azureml_box.environments.interpreter import Interpreter
from azureml_box.environments.keeping import Environments
from azureml_box.environments.wanted import Wanted, wanted

__all__ = ["BuildError", "Environments", "Interpreter", "Wanted", "wanted"]
