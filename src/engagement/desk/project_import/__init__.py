"""Turn a project of an earlier pipeline into a project of this one."""
