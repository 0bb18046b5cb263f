"""How long an unused endpoint stays awake: plain rules over its pauses and its hours, without a clock or a service."""
