"""Ways to reach people: one contract, one file or folder a provider."""
