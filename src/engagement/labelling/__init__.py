"""Code books, Coda datasets and coder agreement: the exchange between the pipeline and its coders."""
