"""`make demo`: one dropped file becomes an answering model, live; ends with 0 only if all of it was seen."""
