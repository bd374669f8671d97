"""Analysis of a season's messages: pure tables first, then charts, maps and the report."""
