"""What the messages of a season say: tables first and pure, then charts, maps and the report."""
