"""Plan stages 6 and 7. Asks the bucket once for each file of an earlier run."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from engagement.configuration.backup import Backup
from engagement.custody.backups.contents import scan
from engagement.custody.backups.keeping import find_superfluous
from engagement.custody.backups.names import archive_name, find_older_than
from engagement.delivery.logs import RunFiles, Upload, find_upload_kinds, find_uploads
from engagement.foundation.errors import count_of
from engagement.stages.planning.context import PlanContext, say_size

RUN_ID = "<run-id>"
_MOST_NAMED = 20


def plan_backup(context: PlanContext) -> Iterator[str]:
    """Write the lines about stage 6."""
    settings = context.project.configuration.backup or Backup.model_validate({})
    archive = context.backups / archive_name(RUN_ID, bool(settings.encrypt))
    entries = scan(context.data_root)[0] if context.data_root.is_dir() else []
    files = sum(entry.kind == stat.S_IFREG for entry in entries)
    size = sum(entry.size for entry in entries)
    yield f"{archive}: {files} files of {say_size(size)} by now, before compression"
    if context.backups.is_dir():
        yield f"free there: {say_size(shutil.disk_usage(context.backups).free)}"
        if settings.keep is not None:
            for path in find_superfluous(context.backups, context.data_root, settings.keep, archive, context.now):
                yield f"to be removed, by Backup.Keep: {path.name}"
        elif context.keep_days is not None:
            for path in find_older_than(context.backups, context.keep_days, archive, context.now):
                yield f"to be removed, more than {context.keep_days} days old: {path.name}"


def plan_uploads(context: PlanContext) -> Iterator[str]:
    """Write the lines about stage 7."""
    kinds = find_upload_kinds(context.project.configuration)
    if not kinds:
        yield "nothing: the configuration has no MemoryProfileUploadURLPrefix or DataArchiveUploadURLPrefix"
        return
    for kind in kinds:
        yield f"{kind.what}: {kind.address(RUN_ID)}"
    profile = context.performance_logs / f"memory-{RUN_ID}.profile"
    files = RunFiles(RUN_ID, profile, context.backups / archive_name(RUN_ID))
    earlier = [upload for kind in kinds for upload in find_uploads(kind, files, with_earlier=True)]
    was_asked = False
    with context.asking():
        pending = [upload for upload in earlier if upload.find_stored(context.storage.has_object) is None]
        was_asked = True
        yield from _describe_pending(pending, len(earlier))
    if not was_asked:
        yield f"could not find out which of {count_of(len(earlier), 'file')} of earlier runs are there"


def _describe_pending(pending: list[Upload], earlier: int) -> Iterator[str]:
    size = sum(_size(upload.path) for upload in pending)
    yield f"of {earlier} files of earlier runs {len(pending)} are not there yet: {say_size(size)}"
    for upload in pending[:_MOST_NAMED]:
        yield f"pending: {upload.address}: {say_size(_size(upload.path))}"
    if len(pending) > _MOST_NAMED:
        yield f"pending: {len(pending) - _MOST_NAMED} more"


def _size(path: Path) -> int:
    return path.stat().st_size
