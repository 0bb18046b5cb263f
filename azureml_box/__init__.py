"""An emulator of the parts of Azure Machine Learning that azure-ai-ml 1.35 speaks to. It knows nothing of its users."""
