"""The policy that `pdp policy init` writes: a few rules, their data and schema, and tests that pass."""

from pathlib import Path

from pdp.errors import SetupError

FOLDER = Path(__file__).parent / "starter"
FILES = ("rules.rego", "rules_test.rego", "data.json", "schema/context/export.json")


def write(folder: Path) -> list[Path]:
    """Write the files into `folder`, which is made if it is missing, and return them.

    Raises `SetupError` if one is there already; nothing is written then.
    """
    targets = [folder / name for name in FILES]
    if there := [str(target) for target in targets if target.exists() or target.is_symlink()]:
        raise SetupError(f"{', '.join(there)} exists; name another folder, nothing was written")
    try:
        for name, target in zip(FILES, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                file.write((FOLDER / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"cannot write {error.filename}: {error.strerror}") from None
    return targets
