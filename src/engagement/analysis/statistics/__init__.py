"""Statistics for publication: shares, tests, models and participation, as plain rows."""
