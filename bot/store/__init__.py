"""Rows and queries, one file a noun; the only room that speaks SQL."""
