"""Answer citizens: plain functions on one transaction, the same for every channel."""
