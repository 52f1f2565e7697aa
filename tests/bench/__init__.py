"""Benchmarks: figures with the runs they came from."""
