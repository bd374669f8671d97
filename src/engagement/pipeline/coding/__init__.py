"""Values -> labels: automatic, manual, wrong scheme, imputation."""
