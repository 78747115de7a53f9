"""Where customers speak to the assistant: one module per channel, and the hosted pages."""
