"""Speak to Zalo: webhook events in, Official Account messages out, tokens kept alive."""
