"""Demo data: a commune, its people and forty reports, entered through the service's own verbs."""
