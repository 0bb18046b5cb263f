"""One file a step; the folder's listing reads as the way of one dataset. Steps don't know each other."""
