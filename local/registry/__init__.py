"""The box's registry `azureml`: component, model and environment specs, and what builds a folder to publish."""
