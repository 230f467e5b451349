"""Methods that change another one: clip what it returns, or take a control variate out of its loss."""
