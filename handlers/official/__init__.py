"""The pocket desk: what officials do from the chats they already look at."""
