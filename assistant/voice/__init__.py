"""Speech: what recognisers write, made readable, and the programs that hear and speak on a bank's own machine."""
