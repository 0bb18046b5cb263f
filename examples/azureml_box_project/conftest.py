"""The plugin; where `azureml-box` is installed, pytest finds it by itself."""

pytest_plugins = ["azureml_box.pytest_plugin"]
