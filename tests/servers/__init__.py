"""Real servers for tests: PostgreSQL, Redis and Chromium, shared by all workers of one pytest run."""
