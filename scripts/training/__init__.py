"""Train an adapter: a job (a folder with rows and settings) becomes its weights, tokenizer and curve. No Hub writes."""
