"""States and steps: what a record is, what is done next. `steps/` holds one file a step."""
