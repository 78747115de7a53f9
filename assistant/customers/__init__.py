"""Who is asking: identity, linking, the token vault, consent, step-up, export and erasure."""
