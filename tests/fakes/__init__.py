"""Stand-ins with a life of their own, for tests."""
