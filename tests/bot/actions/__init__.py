"""Verbs, on both databases."""
