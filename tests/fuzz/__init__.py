"""Fuzz what reads the bytes of strangers, led by coverage: `make fuzz`."""
