"""Verbs: what can be done, one transaction each, without network."""
