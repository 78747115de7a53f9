"""One small class per thing worth telling; each with its own settings. The list is in ``lookout``."""
