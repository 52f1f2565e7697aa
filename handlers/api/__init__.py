"""Answer other systems: the programming interface of dossiers, described by its own OpenAPI document (docs/api.md)."""
