"""Tests of the pocket desk of officials."""
