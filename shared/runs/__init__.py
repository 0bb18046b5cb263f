"""Records of uploads, runs and endpoints, and the queue that says which to look at. Knows no step."""
