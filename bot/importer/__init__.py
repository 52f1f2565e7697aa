"""Compare and apply large exports of dossiers in a process of their own, so that nobody waits for them."""
