"""`loa web`: console and webhooks, with the jobs in other processes."""

import argparse

from bot.cli import serve


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Serve console and webhooks until stopped."""
    return serve.start(arguments, serve_web=True, serve_jobs=False)
