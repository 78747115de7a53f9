"""Tables, migrations, sealing at rest, and Rasa's tracker store."""
