"""How good a model's answers are: scores against references, two models on the same rows, and the gate that decides.

Rules only: nothing here asks a model or reads a file. `shared.lifecycle.steps.evaluate` asks.
"""
