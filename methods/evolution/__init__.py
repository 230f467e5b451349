"""Evolution strategies: the loss at randomly moved parameters."""
