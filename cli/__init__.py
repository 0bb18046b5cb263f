"""The `droptune` command."""
