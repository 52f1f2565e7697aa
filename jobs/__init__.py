"""What happens later: one file a job; only jobs use the network, and never inside a transaction."""
