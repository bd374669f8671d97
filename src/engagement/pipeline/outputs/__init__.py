"""Messages -> CSVs, Coda files, ICR samples, TracedData exports; and merging what the partitions made."""
