"""Messages -> CSVs, Coda files, ICR samples, TracedData exports; merges the partitions' parts."""
