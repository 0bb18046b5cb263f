"""The box's chat-completion trainer: the five steps of chat_completion_pipeline on a llama-shaped model in GGUF.

Each step is `python -m chat_completion.<step>` with exactly the arguments that its component passes.
"""
