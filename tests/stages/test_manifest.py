"""The manifest of Raw Data: stage 2 leaves it, and stage 3 tells what was changed since."""

import hashlib
import json

import pytest

from engagement.foundation import file_stamps
from engagement.foundation.errors import InputError
from engagement.processing.records import raw_checks
from engagement.processing.records.raw_checks import RawCheck
from engagement.sources.manifest import FileVersion, RawDataWriter, read_manifest
from example_project import EPISODE_FLOW, SURVEY_FLOW, DataRoot, episode_run, survey_run

FIRST = EPISODE_FLOW.format(1)


def version_of(path):
    content = path.read_bytes()
    return FileVersion(content.count(b"\n"), hashlib.sha256(content).hexdigest())


@pytest.fixture
def root(tmp_path):
    """A data root that stage 2 wrote."""
    root = DataRoot(tmp_path)
    root.write_runs(*(episode_run(who, f"haa {who}") for who in "abcde"), survey_run("a", gender="nin"))
    leave_manifest(root)
    return root


def leave_manifest(root):
    folder = root.path / "Raw Data"
    RawDataWriter(folder).finish(sorted(folder.glob("*.jsonl")))


def change(root, flow, edit):
    """Edit a flow's lines by hand."""
    path = root.path / "Raw Data" / f"{flow}.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    edit(lines)
    path.write_text("".join(lines))


EDITS = {
    "a line was removed": lambda lines: lines.pop(2),
    "the last line was removed": lambda lines: lines.pop(),
    "all lines were removed": list.clear,
    "a line was doubled": lambda lines: lines.insert(1, lines[3]),
    "a line was moved": lambda lines: lines.append(lines.pop(0)),
    "a line came from elsewhere": lambda lines: lines.append(episode_run("z", "of another data root")),
    "a line was made anew": lambda lines: lines.__setitem__(0, episode_run("a", "something else")),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_what_was_changed_by_hand_is_told_although_each_line_verifies(root, edit):
    root.generate()
    expected = version_of(root.path / "Raw Data" / f"{FIRST}.jsonl")
    change(root, FIRST, edit)
    found = version_of(root.path / "Raw Data" / f"{FIRST}.jsonl")
    with pytest.raises(InputError) as refused:
        root.generate()
    assert refused.value.exit_status == 11
    assert str(refused.value) == (
        f"{root.path}/Raw Data/{FIRST}.jsonl: {found.lines} lines with SHA-256 {found.sha256[:12]}…; expected {expected.lines} "
        f"lines with SHA-256 {expected.sha256[:12]}…, as stage 2 wrote it. A line was changed, removed, doubled or moved. Move the "
        f"file away and run stage 2, which writes it again; if the change is meant, remove {root.path}/Raw Data/manifest.json."
    )


def test_all_files_are_told_at_once(root):
    for flow in (FIRST, SURVEY_FLOW):
        change(root, flow, lambda lines: lines.append(lines[0]))
    with pytest.raises(InputError) as refused:
        root.generate()
    assert str(refused.value).count("Move the file away") == 2


def test_without_a_manifest_or_a_line_in_it_raw_data_are_taken_as_they_are(root):
    change(root, FIRST, lambda lines: lines.pop())
    manifest = root.path / "Raw Data" / "manifest.json"
    document = json.loads(manifest.read_text())
    del document["Files"][f"{FIRST}.jsonl"]
    manifest.write_text(json.dumps(document))
    root.generate()
    manifest.unlink()
    change(root, SURVEY_FLOW, lambda lines: lines.pop())
    root.generate()
    assert len(root.table("messages")) == 4


@pytest.mark.parametrize("content", ["{", "[]", '{"Version": 2, "Files": {}}', '{"Version": 1, "Files": {"a": [3]}}'])
def test_a_damaged_manifest_is_told_and_begun_anew_by_stage_2(root, content):
    manifest = root.path / "Raw Data" / "manifest.json"
    manifest.write_text(content)
    with pytest.raises(InputError, match="manifest"):
        root.generate()
    leave_manifest(root)
    root.generate()


def test_a_run_with_nothing_new_reads_no_raw_file(root, monkeypatch):
    # As if the files had been there for a while.
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", -(10**10))
    root.generate()
    monkeypatch.setattr(raw_checks, "digest_file", lambda path: pytest.fail(f"{path} was read"))
    root.generate()


def test_a_file_that_looks_unchanged_is_read_when_the_manifest_changed(root, monkeypatch):
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", -(10**10))
    root.generate()
    manifest = root.path / "Raw Data" / "manifest.json"
    document = json.loads(manifest.read_text())
    document["Files"][f"{FIRST}.jsonl"][0]["Lines"] += 1
    manifest.write_text(json.dumps(document))
    with pytest.raises(InputError, match="5 lines with"):
        root.generate()


class TestWriting:
    @pytest.fixture
    def folder(self, tmp_path):
        writer = RawDataWriter(tmp_path)
        for name in ("a.jsonl", "b.jsonl"):
            writer.write(tmp_path / name, [b"1\n2\n", b"3\n"])
        writer.finish(sorted(tmp_path.glob("*.jsonl")))
        return tmp_path

    def agrees(self, folder):
        """Whether stage 3 takes the folder as it is."""
        paths = sorted(folder.glob("*.jsonl"))
        check = RawCheck(paths, {})
        assert len(check.tasks) == len(paths)
        check.take(task() for task in check.tasks)
        return True

    def test_it_has_lines_and_hash_of_each_file(self, folder):
        expected = [FileVersion(3, hashlib.sha256(b"1\n2\n3\n").hexdigest())]
        assert read_manifest(folder) == {"a.jsonl": expected, "b.jsonl": expected}

    @pytest.mark.parametrize("moment", ["before the file", "after the file"])
    @pytest.mark.parametrize("how", ["write", "move"])
    def test_killed_at_any_moment_it_is_right_and_the_next_run_makes_it_exact(self, folder, monkeypatch, moment, how):
        path, arrived = folder / "a.jsonl", folder / "arrived"
        arrived.write_bytes(b"1\n2\n3\n4\n")
        writer = RawDataWriter(folder)
        with monkeypatch.context() as patched:
            if moment == "before the file":
                written = type(path).replace

                def die(source, target):
                    if target == path:
                        raise KeyboardInterrupt
                    return written(source, target)

                patched.setattr(type(path), "replace", die)
            try:
                writer.write(path, [b"1\n2\n3\n4\n"]) if how == "write" else writer.move(arrived, path)
            except KeyboardInterrupt:
                assert moment == "before the file"
        assert len(read_manifest(folder)["a.jsonl"]) == 2
        assert self.agrees(folder)
        RawDataWriter(folder).finish([path, folder / "b.jsonl"])
        assert read_manifest(folder)["a.jsonl"] == [version_of(path)]
        assert self.agrees(folder)

    def test_what_was_changed_by_hand_after_a_kill_is_not_taken_over(self, folder):
        RawDataWriter(folder).write(folder / "a.jsonl", [b"1\n2\n3\n4\n"])
        (folder / "a.jsonl").write_bytes(b"1\n")
        RawDataWriter(folder).finish([folder / "a.jsonl", folder / "b.jsonl"])
        with pytest.raises(InputError, match="1 lines .* expected 3 lines .* or 4 lines"):
            self.agrees(folder)

    def test_a_file_that_was_there_before_any_manifest_is_never_cried_wolf_over(self, tmp_path):
        (tmp_path / "a.jsonl").write_bytes(b"1\n")
        writer = RawDataWriter(tmp_path)
        writer._expect(tmp_path / "a.jsonl", FileVersion(2, "0" * 64))  # and killed before the file itself is replaced
        assert read_manifest(tmp_path) == {}

    def test_nothing_is_written_where_nothing_changed(self, folder):
        stamp = (folder / "manifest.json").stat().st_mtime_ns
        RawDataWriter(folder).finish(sorted(folder.glob("*.jsonl")))
        assert (folder / "manifest.json").stat().st_mtime_ns == stamp

    def test_files_that_are_gone_are_not_in_it(self, folder):
        (folder / "b.jsonl").unlink()
        RawDataWriter(folder).finish([folder / "a.jsonl"])
        assert list(read_manifest(folder)) == ["a.jsonl"]
