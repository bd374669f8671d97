"""Restore drills: proofs that the newest archive opens, is whole, and gives the same outputs."""
