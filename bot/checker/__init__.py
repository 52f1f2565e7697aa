"""Read, check and write uploaded lists in a process of their own, so that nobody waits for them."""
