"""The wheel works by itself: installed outside the checkout it runs the demo."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("py", "yaml", "yml", "json", "txt", "html", "css", "js", "lark")
PATTERNS = ("py.typed", *(f"**/*.{kind}" for kind in KINDS))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


def test_the_installed_wheel_runs_the_demo_outside_the_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    subprocess.run([*install, str(target), str(wheel)], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(target), "TOCSIN_CACHE": str(tmp_path / "c")}

    where = subprocess.run(
        [sys.executable, "-c", "import tocsin; print(tocsin.__file__)"],
        env=environment, cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    demo = subprocess.run(
        [sys.executable, "-m", "tocsin", "demo"],
        env=environment, cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert where.stdout.startswith(str(target))
    assert "Diagnostic Settings of a Key Vault Deleted" in demo.stdout
    assert "What to try next" in demo.stderr


def test_the_wheel_holds_every_file_that_the_package_reads(wheel: Path) -> None:
    package = ROOT / "src" / "tocsin"
    wanted = {
        f"tocsin/{file.relative_to(package).as_posix()}"
        for pattern in PATTERNS
        for file in package.glob(pattern)
    }
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())
