"""Tests of bot/checker."""
