"""The rules: plain values in, decisions out, no input or output of any kind."""
