"""How Tellerline talks to banks: one module per kind of API, one profile per bank (banks.yml)."""
