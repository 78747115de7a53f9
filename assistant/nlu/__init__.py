"""Understanding: from what a customer says to an intent and entities. Readers here are plain Python; the
modules that end in ``_component`` hang them into Rasa's graph."""
