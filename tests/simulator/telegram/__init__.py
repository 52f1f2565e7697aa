"""A fake Telegram: the Bot API as its documentation describes it, and the phones of the people who write to bots."""
