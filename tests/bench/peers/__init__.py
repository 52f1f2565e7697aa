"""The same work done the way peers do it, each peer in an environment of its own: `make bench-peers`."""
