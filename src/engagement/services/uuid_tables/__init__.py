"""Phone number -> participant uuid: the protocol, the embedded table, and the one in Firestore."""
