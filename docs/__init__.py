"""The documentation; `docs.generate` writes the parts that follow from the code."""
