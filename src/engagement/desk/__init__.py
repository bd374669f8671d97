"""Commands that people run besides the stages."""
