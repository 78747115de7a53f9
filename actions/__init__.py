"""Rasa custom actions, one module per skill: what was heard goes in, the skill is called, the reply goes out."""

import os

# Rasa reports crashes to a third party by default, stack contents included. Before anything of Rasa is imported.
os.environ["RASA_TELEMETRY_ENABLED"] = "false"
