"""Tellerline: one banking skill set for chat and voice."""

__version__ = "0.1.0"
