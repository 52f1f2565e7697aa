"""Speak to Telegram: bots' updates in, messages out; the library aiogram is brought in only where a bot exists."""
