"""The only modules that touch the network, without any knowledge of messages, labels or participants.

Each service has an embedded twin behind the same protocol: RapidPro (the sandbox), the uuid table in Firestore or SQLite,
Coda on Firestore or in a folder, gs:// or file:// storage, Drive or a folder.
"""
