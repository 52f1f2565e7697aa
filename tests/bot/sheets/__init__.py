"""Tests of bot/sheets."""
