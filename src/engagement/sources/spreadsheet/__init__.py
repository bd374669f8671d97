"""Spreadsheets: CSV, TSV and XLSX files that people fill in or export."""
