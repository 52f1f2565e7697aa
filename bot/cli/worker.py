"""`loa worker`: jobs, with console and webhooks in other processes."""

import argparse

from bot.cli import serve


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Run jobs until stopped."""
    return serve.start(arguments, serve_web=False, serve_jobs=True)
