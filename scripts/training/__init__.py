"""Training: a job (a folder with rows and settings) becomes an adapter, its curve and its tokenizer. No Hub writes."""
