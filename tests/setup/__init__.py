"""What `make test` fetches before the first test: a Redis program and, where allowed, a Chromium."""
