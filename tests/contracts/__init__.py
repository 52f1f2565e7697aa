"""What holds across modules: every channel, every job, both databases."""
