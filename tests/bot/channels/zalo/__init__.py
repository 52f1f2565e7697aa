"""Tests of speaking to Zalo."""
