"""Tests of speaking to Telegram."""
