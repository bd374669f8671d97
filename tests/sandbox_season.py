"""The workspaces of the sandbox, each made once for all the tests of a process."""

import functools

from engagement.sandbox.workspace import make_workspace

cached_workspace = functools.cache(make_workspace)
