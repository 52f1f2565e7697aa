"""Look at everything that can be stuck and say of each thing whether it is well, so that a page can say what to do."""
