"""What the service knows and can do."""

__version__ = "0.1.0"
