"""droptune's own package: rules and gateways, without triggers."""
