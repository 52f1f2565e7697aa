"""Write logged errors as Python does. Where rich is installed structlog draws them with all that every frame holds."""

import structlog


def install() -> None:
    """Log as structlog does when nothing is configured, but for how an exception is written."""
    *before, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, renderer])
