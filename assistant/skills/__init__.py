"""What the assistant can do, one module per skill. Knows banking and replies; never Rasa, HTTP or tables."""
