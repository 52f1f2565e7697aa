"""Real processes under load while things break; afterwards the books must balance."""
