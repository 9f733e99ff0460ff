from cli.fixtures import log, rules

__all__ = ["log", "rules"]
