"""The managed-identity endpoint that App Service offers, for the box."""
