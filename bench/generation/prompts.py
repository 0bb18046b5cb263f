"""What is asked: each of these gets a longer answer than the bench waits for, so that all count the same tokens."""

LONG = (
    "Tell a long story about a lighthouse.",
    "Explain how bread is baked, in detail.",
    "What is the history of the bicycle? Tell at length.",
    "Write down ten facts about forests, each in two sentences.",
    "Write a long letter to a friend about the sea.",
    "How does a steam engine work? Explain everything.",
    "Tell all you know about the moon.",
    "Describe the life of a bee in detail.",
)
