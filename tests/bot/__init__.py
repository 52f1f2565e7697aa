"""Tests of what the service knows and can do."""
