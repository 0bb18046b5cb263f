"""Sweeps: trials of one command with values from a search space, each a child job, and the best of them."""
