"""Code of the components that the box's registry publishes."""
