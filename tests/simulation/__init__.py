"""Production code in a simulated world: a seeded scheduler, in-memory Azure, faults at every call, a checker outside."""
