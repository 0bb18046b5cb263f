"""droptune in Azure: the Bicep templates, what is generated for them from the code, and the hooks of `azd`."""
