"""Name everything that can go wrong, so that each doorway can answer in words."""


class LoaError(Exception):
    """Anything the project raises on purpose; `code` names the sentence in templates/messages that explains it."""

    code = "unexpected"


class ConfigError(LoaError):
    """The configuration is wrong; `problems` lists every mistake found, one sentence each."""

    code = "config"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class SchemaOutdatedError(LoaError):
    """The database holds an older (or no) schema; `loa migrate` brings it up."""

    code = "schema_outdated"


class NotFoundError(LoaError):
    """The row asked for does not exist, or must not be known to whoever asks."""

    code = "not_found"


class ForbiddenError(LoaError):
    """The person may not do this."""

    code = "forbidden"


class ConflictError(LoaError):
    """Somebody else was quicker: the row has changed since it was read."""

    code = "conflict"


class InvalidInputError(LoaError):
    """A field holds something that cannot be accepted; `field` and `code` name where and what."""

    def __init__(self, field: str, code: str, **details: object) -> None:
        super().__init__(f"{field}: {code}")
        self.field = field
        self.code = code
        self.details = details


class DecryptionError(LoaError):
    """A stored secret cannot be read with the configured key."""

    code = "decryption"


class NotKeptError(LoaError):
    """A webhook could be written neither to the database nor to the spool; the provider must send it again."""

    code = "not_kept"


class TooEarlyError(LoaError):
    """News of a message came before the message's own outcome was written; it is looked at again at once."""

    code = "too_early"
