"""`tocsin attack`: the ATT&CK matrix with counts, for other programs."""
import click

from tocsin.cli.options import HELP


@click.group("attack", context_settings=HELP)
def command() -> None:
    """Count rules or alerts per ATT&CK technique, and take a newer ATT&CK."""
