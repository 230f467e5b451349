"""Methods that change what another method returns: clipping by norm and by value."""
