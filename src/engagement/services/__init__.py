"""Clients for remote services: the only modules that use the network, knowing nothing of the domain.

Each service has an embedded twin with the same protocol: RapidPro has the sandbox, the uuid table has SQLite instead of
Firestore, and Coda, Drive and gs:// storage have folders.
"""
