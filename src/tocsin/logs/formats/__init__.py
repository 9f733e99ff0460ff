"""Log files: bytes → blocks of records, a module a format."""
