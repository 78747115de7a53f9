"""Replies: what to say, show and offer, before any channel decides how. Knows banking only."""
