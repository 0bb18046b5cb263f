"""Event Grid for the box: topics, subscriptions, delivery with retries, dead letters."""
