"""What must be true of the world outside, by subject; each check names the invariants of RELIABILITY.md that it shows."""
