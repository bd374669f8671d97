"""Coda V2: its protocol, the embedded twin in a folder, and the Firestore client."""
