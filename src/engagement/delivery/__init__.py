"""The upload of outputs from this machine, and the gate before it."""
