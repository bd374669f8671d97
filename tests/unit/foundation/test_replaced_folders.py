"""A folder that is built beside its place: whatever happens, a whole version is there."""

from pathlib import Path

import pytest

from engagement.foundation import replaced_folders
from engagement.foundation.errors import MachineError
from engagement.foundation.replaced_folders import complete_replacement, replace_folder


def write_folder(path: Path, version: str) -> None:
    path.mkdir(parents=True)
    (path / "version").write_text(version)


def read_folders(parent: Path) -> dict[str, str]:
    return {path.name: (path / "version").read_text() for path in parent.iterdir()}


@pytest.fixture(params=["exchange", "moved aside"])
def way(request, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to replace a folder: the kernel refuses a flag that it does not know, as a file system that can't exchange does."""
    if request.param == "moved aside":
        monkeypatch.setattr(replaced_folders, "_RENAME_EXCHANGE", 1 << 20)


@pytest.mark.usefixtures("way")
def test_a_folder_takes_its_place_when_the_block_ends_well(tmp_path: Path):
    current = tmp_path / "State" / "analysis"
    for version in ("first", "second"):
        with replace_folder(current) as building:
            assert not list(building.iterdir())
            (building / "version").write_text(version)
        assert read_folders(current.parent) == {"analysis": version}


@pytest.mark.usefixtures("way")
def test_a_block_that_fails_leaves_the_old_folder_and_nothing_else(tmp_path: Path):
    write_folder(tmp_path / "Outputs", "old")
    with pytest.raises(KeyboardInterrupt), replace_folder(tmp_path / "Outputs") as building:
        (building / "version").write_text("new")
        raise KeyboardInterrupt
    assert read_folders(tmp_path) == {"Outputs": "old"}


@pytest.mark.parametrize(
    ("left", "found"),
    [
        ({}, None),
        ({"Outputs": "old", "Outputs.partial": "half"}, "old"),  # killed while it was built
        ({"Outputs.partial": "half"}, None),  # the same, of the first version
        ({"Outputs": "new", "Outputs.partial": "old"}, "new"),  # killed after the exchange
        ({"Outputs.old": "old", "Outputs.partial": "new"}, "new"),  # killed between the two moves
        ({"Outputs": "new", "Outputs.old": "old"}, "new"),  # killed after them
        ({"Outputs.old": "old"}, "old"),  # the second move failed, and the new one was removed
    ],
)
def test_what_a_killed_replacement_left_is_put_right(tmp_path: Path, left: dict[str, str], found: str | None):
    for name, version in left.items():
        write_folder(tmp_path / name, version)
    current = tmp_path / "Outputs"
    with pytest.raises(LookupError), replace_folder(current) as building:
        assert not list(building.iterdir())
        raise LookupError
    assert read_folders(tmp_path) == ({} if found is None else {"Outputs": found})


@pytest.mark.parametrize("left", [{"Outputs.partial": "old"}, {"Outputs.old": "old"}])
def test_a_folder_that_is_kept_loses_what_a_killed_replacement_left_beside_it(tmp_path: Path, left: dict[str, str]):
    for name, version in {"Outputs": "new", **left}.items():
        write_folder(tmp_path / name, version)
    complete_replacement(tmp_path / "Outputs")
    complete_replacement(tmp_path / "State")
    assert read_folders(tmp_path) == {"Outputs": "new"}


@pytest.mark.usefixtures("way")
def test_a_link_stays_and_the_folder_that_it_leads_to_is_replaced(tmp_path: Path):
    disk, root = tmp_path / "other disk", tmp_path / "data root"
    for folder in (disk / "Outputs", root):
        folder.mkdir(parents=True)
    (root / "Outputs").symlink_to("../other disk/Outputs")
    for version in ("first", "second"):
        with replace_folder(root / "Outputs") as building:
            assert building.parent == disk
            (building / "version").write_text(version)
        assert read_folders(disk) == read_folders(root) == {"Outputs": version}
        assert (root / "Outputs").is_symlink()


@pytest.mark.parametrize("target", ["../disk that is away/Outputs", "Outputs"])
def test_a_link_to_nothing_is_refused_before_anything_is_done(tmp_path: Path, target: str):
    (tmp_path / "Outputs").symlink_to(target)
    with pytest.raises(MachineError, match="where there is no folder"), replace_folder(tmp_path / "Outputs"):
        pytest.fail("the block began")
    assert [path.name for path in tmp_path.iterdir()] == ["Outputs"]


def test_a_refusal_of_the_machine_names_the_folder(tmp_path: Path):
    (tmp_path / "State").write_text("a file and no folder")
    with pytest.raises(MachineError, match="State/analysis"), replace_folder(tmp_path / "State" / "analysis"):
        pass
