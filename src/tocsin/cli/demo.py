"""`tocsin demo`: detect an intrusion into Azure Key Vaults in example logs."""

import tempfile
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path

import click

from tocsin.cli.options import HELP
from tocsin.cli.scan import command as scan_command
from tocsin.content.demo import write_demo


@click.command("demo", context_settings=HELP)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the example logs to this folder and keep them.",
)
def command(keep: Path | None) -> None:
    """Write example logs of two quiet weeks and an intrusion, and scan them with our rules."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        logs = write_demo(folder)
        pack = stack.enter_context(as_file(files("tocsin.content") / "packs" / "azure-keyvault"))
        click.echo("Two quiet weeks of four key vaults, then an intrusion:\n", err=True)
        arguments = [*map(str, logs), "-r", str(pack), "--bridge", "keyvault"]
        try:
            scan_command.main(arguments, standalone_mode=False)
        except SystemExit as finished:
            if finished.code:
                raise
    click.echo(_NEXT.format(logs=keep or "demo-logs"), err=True)


_NEXT = """
What to try next:
  tocsin demo --keep demo-logs                          keep the example logs
  tocsin scan demo-logs -r RULES                        other rules on them, e.g. SigmaHQ's
  tocsin scan demo-logs -r RULES -f html -o report.html a report in one file, to hand on
  tocsin scan YOUR-LOGS -r RULES -f ndjson              your logs; every alert with its evidence
  tocsin rules check RULES                              which rules run here, and why not
"""
